//! The key file, and what is sealed with a key: XChaCha20-Poly1305 under a random nonce.

use crate::fault::{Fault, file_fault};
use crate::files::{KEY_DRAFT, discard, make_lasting_folder, sync_folder};
use crate::owner::{no_random, random_name};
use chacha20poly1305::aead::{Aead, Generate, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use loom_store::StoreError;
use loom_store::record::hex;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;

/// Tells keys apart: the SHA-256 of the key file, which `sha256sum` says of a copy too. It says
/// nothing about the key, which is 32 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) [u8; 32]);

impl fmt::Display for Fingerprint {
    /// Its first half: enough to find a file by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0[..16]))
    }
}

/// What secrets are sealed and opened with.
pub(crate) struct Key {
    cipher: XChaCha20Poly1305,
    pub(crate) fingerprint: Fingerprint,
}

impl Key {
    /// The key in this file, if there is one.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Fault> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file_fault("read the key file", path)(error)),
        };
        let Ok(key) = <[u8; KEY_LEN]>::try_from(bytes.as_slice()) else {
            let (path, found) = (path.display(), bytes.len());
            let what = format!("the key file {path} has {found} bytes instead of {KEY_LEN}");
            return Err(StoreError::Key(what).into());
        };
        let fingerprint = Fingerprint(Sha256::digest(key).into());
        Ok(Some(Self { cipher: XChaCha20Poly1305::new(&key.into()), fingerprint }))
    }

    /// Makes a key file unless there is one. It is on the disk when this returns, before anything that
    /// is sealed with it.
    pub(crate) fn make(path: &Path) -> Result<(), Fault> {
        let folder = path.parent().unwrap_or(Path::new(""));
        make_lasting_folder(folder)?;
        let key = <[u8; KEY_LEN]>::try_generate().map_err(|error| no_random(&error))?;
        let draft = folder.join(format!("{KEY_DRAFT}{}", random_name()?));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| file.write_all(&key).and_then(|()| file.sync_all()))
            .and_then(|()| match fs::hard_link(&draft, path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            });
        discard(&draft);
        written.map_err(file_fault("make the key file", path))?;
        sync_folder(folder)
    }

    pub(crate) fn seal(&self, secret: &[u8]) -> Result<String, StoreError> {
        let nonce = XNonce::try_generate().map_err(|error| no_random(&error))?;
        let sealed = self.cipher.encrypt(&nonce, secret).map_err(|_| {
            StoreError::TooLarge(format!("a secret of {} bytes is too long", secret.len()))
        })?;
        Ok(format!("{}{}", hex(&nonce), hex(&sealed)))
    }

    /// Opens what was sealed; `None` if it was sealed with another key or is damaged.
    pub(crate) fn open(&self, sealed: &str) -> Option<Vec<u8>> {
        let bytes = unhex(sealed)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        self.cipher.decrypt(&XNonce::from(*nonce), sealed).ok()
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn made(folder: &Path) -> Key {
        let path = folder.join("new").join("key");
        Key::make(&path).unwrap();
        Key::read(&path).unwrap().unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (key, same, stranger) = (made(folder.path()), made(folder.path()), made(other.path()));
        let sealed = key.seal(b"secret").unwrap();
        assert_eq!(same.open(&sealed).unwrap(), b"secret");
        assert_ne!(key.seal(b"secret").unwrap(), sealed);
        assert_eq!(key.fingerprint, same.fingerprint);

        assert_eq!(stranger.open(&sealed), None);
        assert_ne!(key.fingerprint, stranger.fingerprint);
    }

    #[test]
    fn a_fingerprint_is_what_people_compute_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(Key::read(&path).unwrap().is_none());
        fs::write(&path, [7; KEY_LEN]).unwrap();
        let fingerprint = Key::read(&path).unwrap().unwrap().fingerprint;
        // head -c 32 /dev/zero | tr '\0' '\7' | sha256sum
        assert_eq!(fingerprint.to_string(), "4bb06f8e4e3a7715d201d573d0aa4237");
    }

    #[test]
    fn the_key_is_this_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        made(folder.path());
        let path = folder.path().join("new").join("key");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_key_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "short").unwrap();
        let Err(Fault::Store(StoreError::Key(why))) = Key::read(&path) else {
            panic!("it is read")
        };
        assert!(why.contains("has 5 bytes") && why.contains(path.to_str().unwrap()), "{why}");
    }

    #[test]
    fn damaged_text_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let key = made(folder.path());
        let sealed = key.seal(b"secret").unwrap();
        let (rest, last) = sealed.split_at(sealed.len() - 1);
        let flipped = format!("{rest}{}", if last == "0" { '1' } else { '0' });
        for text in ["", "0", "zz", "é0", "00ff", &sealed[..60], &sealed[2..], &flipped] {
            assert_eq!(key.open(text), None, "{text}");
        }
    }
}
