//! What some files say, looked at again every few seconds: certificates, users and what they may do.
//!
//! A new set that makes sense is used from then on by whoever asks; one that does not is logged once, and the old one
//! kept. Files are replaced one after the other, so a set that makes no sense is given until the next look.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

/// From one look to the next.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// One file's content.
#[derive(Debug)]
pub(crate) struct FileContent {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

type Parse<T> = Box<dyn Fn(&[FileContent]) -> Result<T, String> + Send + Sync>;

/// What files say now.
pub(crate) struct Reloaded<T> {
    /// What it is, for the log: `certificates`.
    what: &'static str,
    paths: Vec<PathBuf>,
    parse: Parse<T>,
    present: RwLock<Arc<T>>,
    seen: Mutex<Seen>,
}

/// Which contents were met, by their hashes.
struct Seen {
    used: u64,
    /// What made no sense, and whether that has been said.
    broken: Option<(u64, bool)>,
}

impl<T> std::fmt::Debug for Reloaded<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys and hashes of passwords are nobody's business.
        f.debug_struct("Reloaded")
            .field("what", &self.what)
            .field("paths", &self.paths)
            .finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> Reloaded<T> {
    /// Reads the files for the first time. `parse` is handed them in the order of `paths`.
    ///
    /// # Errors
    ///
    /// Which file, and what is wrong with it.
    pub fn open(
        what: &'static str,
        paths: Vec<PathBuf>,
        parse: impl Fn(&[FileContent]) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Arc<Self>, String> {
        let files = read(&paths)?;
        let present = RwLock::new(Arc::new(parse(&files)?));
        let seen = Mutex::new(Seen { used: fingerprint(&files), broken: None });
        Ok(Arc::new(Self { what, paths, parse: Box::new(parse), present, seen }))
    }

    /// What they say, as far as it makes sense.
    pub fn present(&self) -> Arc<T> {
        Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the files again. Reads them, so not for a thread that others wait for.
    pub fn look(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let files = read(&self.paths);
        // A file that cannot be read is as good as any other content.
        let print = files.as_ref().map_or_else(|why| xxh3_64(why.as_bytes()), |files| fingerprint(files));
        if print == seen.used {
            seen.broken = None;
            return;
        }
        match files.and_then(|files| (self.parse)(&files)) {
            Ok(new) => {
                *self.present.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                *seen = Seen { used: print, broken: None };
                tracing::info!(what = self.what, "files have changed; what they say now is used");
            }
            Err(why) => match seen.broken {
                Some((met, true)) if met == print => {}
                Some((met, false)) if met == print => {
                    tracing::error!(
                        what = self.what,
                        error = why,
                        "files have changed and make no sense; the old are kept"
                    );
                    seen.broken = Some((print, true));
                }
                _ => seen.broken = Some((print, false)),
            },
        }
    }

    /// Looks again and again, for ever.
    pub async fn watch(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let this = Arc::clone(&self);
            if crate::runtime::blocking(move || this.look()).await.is_err() {
                tracing::error!(
                    what = self.what,
                    "looking at the files broke down; they are not looked at any more"
                );
                return;
            }
        }
    }
}

fn read(paths: &[PathBuf]) -> Result<Vec<FileContent>, String> {
    let read = |path: &PathBuf| match std::fs::read(path) {
        Ok(bytes) => Ok(FileContent { path: path.clone(), bytes }),
        Err(error) => Err(format!("{}: cannot be read: {error}", path.display())),
    };
    paths.iter().map(read).collect()
}

fn fingerprint(files: &[FileContent]) -> u64 {
    let hashes = files.iter().flat_map(|file| xxh3_64(&file.bytes).to_be_bytes());
    xxh3_64(&hashes.collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(files: &[FileContent]) -> Result<u32, String> {
        let text = String::from_utf8_lossy(&files[0].bytes).into_owned();
        text.parse().map_err(|error| format!("{}: {error}", files[0].path.display()))
    }

    #[test]
    fn what_makes_sense_is_used_and_the_rest_is_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("number");
        let write = |text: &str| std::fs::write(&path, text).expect("written");
        write("1");
        let numbers = Reloaded::open("number", vec![path.clone()], number).expect("a number");
        for (text, expected) in [("2", 2), ("two", 2), ("3", 3), ("", 3), ("2", 2)] {
            write(text);
            numbers.look();
            numbers.look();
            assert_eq!(*numbers.present(), expected, "after {text:?}");
        }
        std::fs::remove_file(&path).expect("removed");
        numbers.look();
        assert_eq!(*numbers.present(), 2);
    }

    #[test]
    fn a_first_look_that_fails_names_the_file() {
        let why = Reloaded::open("number", vec!["/nowhere/number".into()], number).expect_err("no such file");
        assert!(why.starts_with("/nowhere/number: cannot be read: "), "{why}");
    }
}
