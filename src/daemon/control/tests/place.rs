//! The file of the socket: where it may go, what it replaces, and when it goes away.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        net::UnixListener as Listener,
    },
};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn the_folder_is_made_and_both_are_private() {
    let place = place();
    let path = place.path.with_file_name("run/permitd/control.sock");
    let server = Server::bind(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    drop(server);
    assert!(!path.exists() && path.parent().unwrap().exists());
}

#[tokio::test]
async fn a_folder_that_is_there_stays_as_it_is() {
    let place = place();
    let folder = place.path.parent().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let _server = Server::bind(&place.path).unwrap();
    assert_eq!(mode(folder), 0o755);
}

#[tokio::test]
async fn a_socket_that_nobody_listens_on_is_replaced() {
    let place = place();
    drop(Listener::bind(&place.path).unwrap());
    assert!(place.path.exists(), "the file outlives the listener");
    let server = Server::bind(&place.path).unwrap();
    let daemon = tokio::spawn(say_yes(server));
    assert!(ask(&place.path, &Request::Status, PATIENCE).await.unwrap().ok);
    daemon.abort();
}

#[tokio::test]
async fn a_socket_that_somebody_listens_on_is_left_alone() {
    let (place, server) = served();
    let error = Server::bind(&place.path).unwrap_err();
    assert_eq!(error.to_string(), format!("another permitd listens on {}", place.path.display()));
    let daemon = tokio::spawn(say_yes(server));
    assert!(ask(&place.path, &Request::Status, PATIENCE).await.unwrap().ok);
    daemon.abort();
}

#[tokio::test]
async fn a_folder_that_somebody_works_in_is_left_alone() {
    let place = place();
    let other = fs::File::open(place.path.parent().unwrap()).unwrap();
    other.lock().unwrap();
    let error = Server::bind(&place.path).unwrap_err();
    assert!(matches!(error, ControlError::Contended { .. }), "{error:?}");
    drop(other);
    let _server = Server::bind(&place.path).unwrap();
    fs::File::open(place.path.parent().unwrap()).unwrap().try_lock().unwrap();
}

#[tokio::test]
async fn what_is_not_a_socket_is_left_alone() {
    let place = place();
    fs::write(&place.path, "precious").unwrap();
    let folder = place.path.with_file_name("folder");
    fs::create_dir(&folder).unwrap();
    let link = place.path.with_file_name("link");
    symlink("nowhere", &link).unwrap();
    for path in [&place.path, &folder, &link] {
        let error = Server::bind(path).unwrap_err();
        assert!(matches!(error, ControlError::NotASocket { .. }), "{error:?}");
        let error = ask(path, &Request::Status, PATIENCE).await.unwrap_err();
        assert!(matches!(error, ControlError::Absent { .. }), "{error:?}");
    }
    assert_eq!(fs::read(&place.path).unwrap(), b"precious");
    assert!(folder.is_dir() && link.is_symlink());
}

#[tokio::test]
async fn a_path_that_is_too_long_is_told() {
    let place = place();
    let room = 107 - place.path.as_os_str().len();
    let longest = place.path.with_file_name(format!("control.sock{}", "x".repeat(room)));
    let daemon = tokio::spawn(say_yes(Server::bind(&longest).unwrap()));
    assert!(ask(&longest, &Request::Status, PATIENCE).await.unwrap().ok);
    let longer = place.path.with_file_name(format!("control.sock{}", "x".repeat(room + 1)));
    let told = format!("is too long (108 bytes, at most 107): {}", longer.display());
    let bound = Server::bind(&longer).unwrap_err();
    let asked = ask(&longer, &Request::Status, PATIENCE).await.unwrap_err();
    assert!(bound.to_string().ends_with(&told) && asked.to_string().ends_with(&told), "{bound}");
    daemon.abort();
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told() {
    let place = place();
    fs::write(&place.path, "").unwrap();
    let error = Server::bind(&place.path.join("control.sock")).unwrap_err();
    assert!(matches!(error, ControlError::Listen { .. }), "{error:?}");
}

#[tokio::test]
async fn where_nobody_listens_there_is_nobody_to_ask() {
    let place = place();
    let told = format!("no permitd runs here (nobody listens on {})", place.path.display());
    let missing = ask(&place.path, &Request::Status, PATIENCE).await.unwrap_err();
    assert_eq!(missing.to_string(), told);
    assert!(missing.hint().unwrap().starts_with("start one with `permitd run`"));
    drop(Listener::bind(&place.path).unwrap());
    let stale = ask(&place.path, &Request::Status, PATIENCE).await.unwrap_err();
    assert_eq!(stale.to_string(), told);
}

#[tokio::test]
async fn the_file_goes_away_with_the_server() {
    let (place, server) = served();
    drop(server);
    assert!(!place.path.exists());
    let (place, server) = served();
    server.close().await;
    assert!(!place.path.exists());
}

#[tokio::test]
async fn the_file_of_somebody_else_stays() {
    let (place, server) = served();
    fs::remove_file(&place.path).unwrap();
    let other = Listener::bind(&place.path).unwrap();
    let inode = fs::symlink_metadata(&place.path).unwrap().ino();
    drop(server);
    assert_eq!(fs::symlink_metadata(&place.path).unwrap().ino(), inode);
    drop(other);
}
