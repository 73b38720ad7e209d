//! Links relocations in the packed form where the C library of this machine can read it: three megabytes of them would else
//! be read into memory at every start. The program then needs a glibc of 2.36 wherever it runs; `RAPPORT_PACKED_RELOCATIONS=no`
//! makes one that does not.

use std::process::Command;

/// The first version of glibc that applies packed relocations (<https://sourceware.org/glibc/wiki/Release/2.36>).
const SINCE: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RAPPORT_PACKED_RELOCATIONS");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    let is_native = std::env::var("HOST") == std::env::var("TARGET");
    let is_glibc = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    let is_wanted = !is("RAPPORT_PACKED_RELOCATIONS", "no");
    if is_native && is_glibc && is_wanted && glibc().is_some_and(|version| version >= SINCE) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's glibc, if that is its C library.
fn glibc() -> Option<(u32, u32)> {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let told = String::from_utf8(told.stdout).ok()?;
    let (major, minor) = told.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
