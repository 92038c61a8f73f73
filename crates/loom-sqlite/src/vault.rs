//! The key file and what is sealed with it: XChaCha20-Poly1305 under a random nonce.
//!
//! The key keeps secrets out of the database and of its copies, not from those who may read the
//! folder beside it.

use crate::fault::{Fault, file_fault};
use crate::files::{KEY_DRAFT, discard, make_lasting_folder, sync_folder};
use crate::owner::{no_random, random_name};
use chacha20poly1305::aead::{Aead, Generate, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use loom_store::StoreError;
use loom_store::record::{Vault, hex};
use std::cell::OnceCell;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;

/// The key in a file, which is made when the first secret is sealed.
pub(crate) struct KeyFile {
    path: PathBuf,
    cipher: OnceCell<XChaCha20Poly1305>,
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyFile").field(&self.path).finish()
    }
}

impl KeyFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, cipher: OnceCell::new() }
    }

    fn cipher(&self, make: bool) -> Result<&XChaCha20Poly1305, StoreError> {
        if let Some(cipher) = self.cipher.get() {
            return Ok(cipher);
        }
        if make && !self.path.exists() {
            make_key(&self.path).map_err(|fault| fault.about(&self.path))?;
        }
        let bytes = fs::read(&self.path).map_err(|error| self.unreadable(&error))?;
        let key = <[u8; KEY_LEN]>::try_from(bytes).map_err(|bytes| {
            let found = bytes.len();
            StoreError::Corrupt(format!(
                "the key file {} has {found} bytes instead of {KEY_LEN}; restore it from a backup",
                self.path.display()
            ))
        })?;
        Ok(self.cipher.get_or_init(|| XChaCha20Poly1305::new(&Key::from(key))))
    }

    fn unreadable(&self, error: &io::Error) -> StoreError {
        StoreError::Unavailable(format!(
            "cannot read the key file {}, which secrets are sealed with: {error}; restore it",
            self.path.display()
        ))
    }

    fn not_mine(&self) -> StoreError {
        StoreError::Corrupt(format!(
            "a secret does not open with the key file {}: either is damaged, or the key is another",
            self.path.display()
        ))
    }
}

impl Vault for KeyFile {
    fn seal(&self, secret: &[u8]) -> Result<String, StoreError> {
        let cipher = self.cipher(true)?;
        let nonce = XNonce::try_generate().map_err(|error| no_random(&error))?;
        let sealed = cipher.encrypt(&nonce, secret).map_err(|_| {
            StoreError::Unavailable(format!("a secret of {} bytes is too long", secret.len()))
        })?;
        Ok(format!("{}{}", hex(&nonce), hex(&sealed)))
    }

    fn open(&self, sealed: &str) -> Result<Vec<u8>, StoreError> {
        let cipher = self.cipher(false)?;
        let bytes = unhex(sealed).ok_or_else(|| self.not_mine())?;
        let (nonce, sealed) =
            bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(|| self.not_mine())?;
        cipher.decrypt(&XNonce::from(*nonce), sealed).map_err(|_| self.not_mine())
    }
}

/// Makes a key unless somebody else just did. It is on the disk when this returns, before anything
/// that is sealed with it.
fn make_key(path: &Path) -> Result<(), Fault> {
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

    fn vault(folder: &Path) -> KeyFile {
        KeyFile::new(folder.join("new").join("key"))
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sealed = vault(folder.path()).seal(b"secret").unwrap();
        assert_eq!(vault(folder.path()).open(&sealed).unwrap(), b"secret");
        assert_ne!(vault(folder.path()).seal(b"secret").unwrap(), sealed);

        let stranger = vault(other.path());
        stranger.seal(b"x").unwrap();
        let Err(StoreError::Corrupt(why)) = stranger.open(&sealed) else { panic!("it opened") };
        assert!(why.contains(stranger.path.to_str().unwrap()), "{why}");
    }

    #[test]
    fn the_key_is_this_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        vault.seal(b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&vault.path), 0o600);
        assert_eq!(mode(vault.path.parent().unwrap()), 0o700);
        assert_eq!(fs::read_dir(vault.path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_or_damaged_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = vault(folder.path()).seal(b"x").unwrap();
        let path = vault(folder.path()).path;
        fs::write(&path, "short").unwrap();
        let error = vault(folder.path()).open(&sealed).unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt(why) if why.contains("has 5 bytes")));
        fs::remove_file(&path).unwrap();
        let error = vault(folder.path()).open(&sealed).unwrap_err();
        let StoreError::Unavailable(why) = error else { panic!("{error}") };
        assert!(why.contains(path.to_str().unwrap()), "{why}");
        assert!(!path.exists());
    }

    #[test]
    fn damaged_text_is_corrupt() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        let sealed = vault.seal(b"secret").unwrap();
        let (rest, last) = sealed.split_at(sealed.len() - 1);
        let flipped = format!("{rest}{}", if last == "0" { '1' } else { '0' });
        for text in ["", "0", "zz", "é0", "00ff", &sealed[..60], &sealed[2..], &flipped] {
            assert!(matches!(vault.open(text), Err(StoreError::Corrupt(_))), "{text}");
        }
    }
}
