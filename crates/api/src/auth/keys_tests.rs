//! How keys come, take over and go.

use super::*;

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("rapport-keys-{}", Uuid::now_v7()))
}

fn later(seconds: u64) -> Timestamp {
    (Timestamp::now().utc() + Duration::from_secs(seconds)).into()
}

fn ids(ring: &KeyRing, now: Timestamp) -> Vec<String> {
    ring.published(now).keys.into_iter().map(|key| key.kid).collect()
}

#[test]
fn the_first_key_signs_at_once_and_stays() {
    let folder = folder();
    let first = KeyRing::open(&folder).unwrap().signing(later(0)).unwrap().id.clone();
    let again = KeyRing::open(&folder).unwrap();
    assert_eq!(again.signing(later(0)).unwrap().id, first);
    assert_eq!(ids(&again, later(400 * 86_400)), [first]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_next_key_is_published_before_it_signs_and_the_old_one_outlives_its_tokens() {
    let folder = folder();
    let ring = KeyRing::open(&folder).unwrap();
    let old = ring.signing(later(0)).unwrap().id.clone();
    let new = KeyRing::rotate(&folder).unwrap();
    ring.reread().unwrap();
    assert_eq!(ids(&ring, later(0)), [old.clone(), new.clone()]);
    assert_eq!(ring.signing(later(14 * 60)).unwrap().id, old);
    assert_eq!(ring.signing(later(16 * 60)).unwrap().id, new);
    let end = 15 * 60 + LONGEST_LIFE.as_secs() + LEEWAY.as_secs();
    assert!(ring.verifying(&old, later(end - 60)).is_some());
    assert!(ring.verifying(&old, later(end + 60)).is_none());
    assert_eq!(ids(&ring, later(end + 60)), [new]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_key_of_another_instance_is_found_without_waiting_for_the_interval() {
    let folder = folder();
    let ring = KeyRing::open(&folder).unwrap();
    let new = KeyRing::rotate(&folder).unwrap();
    std::thread::sleep(REREAD_AT_MOST);
    assert!(ring.verifying(&new, later(0)).is_some());
    fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    KeyRing::open(&folder).unwrap();
    let modes: Vec<u32> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777)
        .collect();
    assert_eq!(modes, [0o600, 0o600], "one key, one seed, no draft");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_not_a_key_is_named() {
    let folder = folder();
    KeyRing::open(&folder).unwrap();
    fs::write(folder.join(format!("{}.pem", Uuid::now_v7())), "no key").unwrap();
    assert!(matches!(KeyRing::open(&folder), Err(KeyError::Malformed(_))));
    fs::remove_dir_all(folder).unwrap();
}
