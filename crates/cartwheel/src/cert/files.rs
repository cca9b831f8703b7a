//! Writing what nobody may write over, and keys that nobody else may read.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A certificate and its key, in PEM, as `NAME.pem` and `NAME.key` in `dir`. Where they are.
pub fn write_pair(dir: &Path, name: &str, certificate: &str, key: &str) -> Result<Vec<PathBuf>, String> {
    fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let [certificate_path, key_path] = ["pem", "key"].map(|end| dir.join(format!("{name}.{end}")));
    // Before anything is written: a new key beside an old certificate would be of no use.
    for path in [&certificate_path, &key_path] {
        if path.exists() {
            return Err(format!("{}: is there already; it is not written over", path.display()));
        }
    }
    write(&key_path, key, 0o600)?;
    write(&certificate_path, certificate, 0o644)?;
    Ok(vec![certificate_path, key_path])
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file: File = File::options().write(true).create_new(true).mode(mode).open(path).map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)
}

pub fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
}
