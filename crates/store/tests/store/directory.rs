//! Directories that are refused: each with its own error, which says what, where, and what was expected.

use std::fs;
use std::path::Path;

use cartwheel_store::{Identity, OpenError, Store};
use tempfile::TempDir;

use crate::support::{Running, identity, open, start};

fn refused(dir: &Path, identity: &Identity) -> OpenError {
    match Store::open(dir, identity) {
        Ok(_) => panic!("{} was opened", dir.display()),
        Err(error) => error,
    }
}

/// A directory with a cleanly stopped store.
fn ours() -> TempDir {
    let dir = TempDir::new().expect("a directory");
    start(dir.path()).close();
    dir
}

#[test]
fn a_missing_directory_is_created() {
    let parent = TempDir::new().expect("a directory");
    let dir = parent.path().join("a").join("b");
    Running::start(open(&dir)).close();
    assert!(dir.join("identity").exists());
}

#[test]
fn the_data_of_another_cluster_is_refused() {
    let dir = ours();
    let error = refused(dir.path(), &Identity { cluster: "bank".into(), ..identity() });
    assert!(
        matches!(&error, OpenError::OtherCluster { expected, found, .. } if expected == "bank" && found == "shop")
    );
    let path = dir.path().join("identity");
    let message =
        format!("the data in {} belongs to the cluster \"shop\"; expected \"bank\"", path.display());
    assert_eq!(error.to_string(), message);
}

#[test]
fn the_data_of_another_node_is_refused() {
    let dir = ours();
    let error = refused(dir.path(), &Identity { node: "beta".into(), ..identity() });
    assert!(
        matches!(&error, OpenError::OtherNode { expected, found, .. } if expected == "beta" && found == "alpha")
    );
}

#[test]
fn a_refusal_consumes_no_boot_number() {
    let dir = ours();
    refused(dir.path(), &Identity { node: "beta".into(), ..identity() });
    let opened = open(dir.path());
    assert_eq!((opened.number, opened.continuous_since), (2, 1));
}

#[test]
fn the_engine_of_another_node_is_refused() {
    let (dir, other) = (ours(), TempDir::new().expect("a directory"));
    let beta = Identity { node: "beta".into(), ..identity() };
    drop(Store::open(other.path(), &beta).expect("a fresh directory"));
    fs::remove_dir_all(dir.path().join("engine")).expect("removed");
    fs::rename(other.path().join("engine"), dir.path().join("engine")).expect("moved");
    let error = refused(dir.path(), &identity());
    assert!(
        matches!(&error, OpenError::OtherNode { path, found, .. } if path.ends_with("engine") && found == "beta")
    );
}

#[test]
fn a_directory_in_use_is_refused_until_it_is_released() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let error = refused(dir.path(), &identity());
    assert!(matches!(&error, OpenError::InUse { path } if path == dir.path()), "{error}");
    store.close();
    drop(open(dir.path()));
}

#[test]
fn a_directory_of_somebody_else_is_refused_and_left_alone() {
    let dir = TempDir::new().expect("a directory");
    fs::write(dir.path().join("thesis.tex"), "").expect("written");
    let error = refused(dir.path(), &identity());
    assert!(matches!(&error, OpenError::Foreign { found, .. } if found == "thesis.tex"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1, "not even a lock file was put there");
}

#[test]
fn engine_data_without_an_identity_is_foreign() {
    let dir = ours();
    fs::remove_file(dir.path().join("identity")).expect("removed");
    assert!(matches!(refused(dir.path(), &identity()), OpenError::Foreign { .. }));
}

#[test]
fn a_file_is_not_a_directory() {
    let dir = TempDir::new().expect("a directory");
    let file = dir.path().join("file");
    fs::write(&file, "").expect("written");
    assert!(matches!(refused(&file, &identity()), OpenError::NotADirectory { path } if path == file));
}

#[test]
fn a_later_format_is_refused() {
    let dir = ours();
    let path = dir.path().join("identity");
    let later = fs::read_to_string(&path).expect("text").replace("format = 1", "format = 2");
    fs::write(&path, later).expect("written");
    let error = refused(dir.path(), &identity());
    assert!(matches!(error, OpenError::NewerFormat { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn an_edited_boot_file_is_refused() {
    let dir = ours();
    let path = dir.path().join("boot");
    let edited = fs::read_to_string(&path).expect("text").replace("number = 1", "number = 0");
    fs::write(&path, edited).expect("written");
    let error = refused(dir.path(), &identity());
    assert!(matches!(&error, OpenError::Damaged { path: of, .. } if *of == path), "{error}");
}

#[test]
fn an_engine_without_its_version_marker_is_not_written_over() {
    let dir = ours();
    fs::remove_file(dir.path().join("engine").join("version")).expect("removed");
    let error = refused(dir.path(), &identity());
    assert!(matches!(&error, OpenError::Damaged { path, .. } if path.ends_with("engine")), "{error}");
}

#[test]
fn what_a_crash_within_the_first_open_leaves_is_no_obstacle() {
    let dir = TempDir::new().expect("a directory");
    fs::write(dir.path().join("LOCK"), "").expect("written");
    fs::write(dir.path().join("identity.tmp"), "form").expect("written");
    drop(open(dir.path()));

    // A little later: the identity is there, the engine half.
    let dir = ours();
    let engine = dir.path().join("engine");
    fs::rename(&engine, dir.path().join("engine.tmp")).expect("moved");
    drop(open(dir.path()));
}

#[test]
fn a_name_that_does_not_fit_a_line_is_refused() {
    let dir = TempDir::new().expect("a directory");
    for node in ["", "a\nb", " a"] {
        let error = refused(dir.path(), &Identity { node: node.into(), ..identity() });
        assert!(matches!(error, OpenError::Name { what: "node", .. }), "{error}");
    }
}
