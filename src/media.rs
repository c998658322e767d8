//! Photos at rest: in a folder, or in a bucket of a store that speaks S3, by one library.
//!
//! This is not: the checking of photos (they come here clean), nor who may see one. Objects are read and written by this
//! server alone, never by clients.
//!
//! A photo is written once under a name nobody can guess and is never changed, so there is nothing to lock and a reader
//! never sees half of one. A crash or a cancelled caller between the two sizes of a `put` leaves an object; the row that
//! named the key before it was written is how it is found.
//!
//! - **A folder**: the library writes to a staging file beside the final one, flushes it, renames it and flushes the folder
//!   (`with_fsync`): when [`Media::put`] returns, both sizes survive a power cut. A deletion is *not* flushed: after a power
//!   cut a deleted photo may be back, unreferenced.
//! - **A bucket**: durable by the store's word. What failed is tried again a few times within the same
//!   `MEDIA_WAIT_MS_MAX`; then callers hear that the store is slow. Parts of an archive that broke off are removed, but
//!   for those of a process that died: a rule of the bucket does that.

use std::{fmt, io::ErrorKind, os::unix::fs::DirBuilderExt, path::Path, str::FromStr, sync::Arc, time::Duration};

use bytes::Bytes;
use lastbite_protocol::meals::PhotoSeen;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, local::LocalFileSystem, path::Path as StorePath};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

mod archive;
mod bucket;

pub use archive::ArchiveKey;

/// A disk or store that needs longer is not healthy; the work itself cannot be stopped and may still end well.
pub(crate) const MEDIA_WAIT_MS_MAX: u64 = 5_000;
/// The library reads whole objects into memory; no clean photo comes near this.
pub(crate) const MEDIA_OBJECT_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// Bytes of the content's hash in a key.
const HASH_BYTES: usize = 12;
/// Bytes of chance in a key: whoever has the photo cannot work out its address, and no two photos share one.
const SALT_BYTES: usize = 12;
const KEY_CHARS: usize = 2 * (HASH_BYTES + SALT_BYTES);

/// Where photos are kept. Clones share one store.
#[derive(Clone, Debug)]
pub struct Media {
    store: Arc<dyn ObjectStore>,
    put_mode: PutMode,
    /// None for a bucket.
    folder: Option<Arc<Path>>,
}

/// Which of the two stored sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Large,
    Small,
}

/// A stored photo, as a row keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPhoto {
    pub key: String,
    pub width_px: u32,
    pub height_px: u32,
    /// What looked like it when it was first shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_before: Option<PhotoSeen>,
}

impl StoredPhoto {
    /// The name of the objects.
    pub fn key(&self) -> Result<PhotoKey, NotAKey> {
        self.key.parse()
    }
}

/// Ours, never the player's doing.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("the media folder cannot be used")]
    Folder(#[source] std::io::Error),
    #[error("what was to be stored cannot be read")]
    Unread(#[source] std::io::Error),
    #[error("the bucket of LASTBITE_MEDIA cannot be used: {0}")]
    Unusable(String),
    #[error("the media store failed")]
    Store(#[source] object_store::Error),
    #[error("the media store cannot be reached or is not well")]
    Away(#[source] object_store::Error),
    #[error("the media store is full")]
    Full(#[source] object_store::Error),
    #[error("the media store did not answer within {MEDIA_WAIT_MS_MAX} ms")]
    Slow,
    #[error("a stored photo has {bytes} bytes, more than any that was put there")]
    Oversized { bytes: u64 },
}

impl From<object_store::Error> for MediaError {
    fn from(error: object_store::Error) -> Self {
        match error {
            // What is neither the key's nor the bucket's fault: no connection, no answer, a 5xx again and again.
            object_store::Error::Generic { store: "S3", .. } => Self::Away(error),
            error if is_full(&error) => Self::Full(error),
            error => Self::Store(error),
        }
    }
}

/// Whether the disk, or the share of it that is ours, has no room.
fn is_full(error: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(io, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl MediaError {
    /// Whether the store may yet do what it was asked for.
    pub(crate) const fn may_end_well(&self) -> bool {
        matches!(self, Self::Slow | Self::Away(_))
    }
}

impl Media {
    /// Photos in files under `folder`, which is made when it is missing.
    pub fn folder(folder: &Path) -> Result<Self, MediaError> {
        // Photos are for their owners, not for everybody on the machine.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(MediaError::Folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), put_mode: PutMode::Create, folder: Some(folder.into()) })
    }

    /// Keeps both sizes under a new key.
    pub async fn put(&self, key: &PhotoKey, large: Bytes, small: Bytes) -> Result<(), MediaError> {
        bounded(async {
            self.write(key, Size::Small, small).await?;
            self.write(key, Size::Large, large).await
        })
        .await
    }

    /// The JPEG, or none when there is no such photo (any more).
    pub async fn get(&self, key: &PhotoKey, size: Size) -> Result<Option<Bytes>, MediaError> {
        bounded(async {
            let found = match self.store.get(&key.path(size)).await {
                Ok(found) => found,
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            if found.meta.size > MEDIA_OBJECT_BYTES_MAX {
                return Err(MediaError::Oversized { bytes: found.meta.size });
            }
            Ok(Some(found.bytes().await?))
        })
        .await
    }

    /// Removes both sizes. What is gone already counts as removed, so it may be called again after a failure.
    pub async fn delete(&self, key: &PhotoKey) -> Result<(), MediaError> {
        let (large, small) = bounded(async {
            Ok((self.store.delete(&key.path(Size::Large)).await, self.store.delete(&key.path(Size::Small)).await))
        })
        .await?;
        for removed in [large, small] {
            match removed {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match &self.folder {
            Some(folder) => bounded(remove_staged(folder, key)).await,
            None => Ok(()),
        }
    }

    async fn write(&self, key: &PhotoKey, size: Size, jpeg: Bytes) -> Result<(), MediaError> {
        // Half a key is chance: nothing is under a new one. A bucket is not asked to see to it, because then a write whose answer
        // was lost could not be repeated (it would find itself), and because not every store can.
        self.store.put_opts(&key.path(size), jpeg.into(), PutOptions::from(self.put_mode.clone())).await?;
        Ok(())
    }
}

/// Removes what a process that died in the middle of a write has left beside the photo.
async fn remove_staged(folder: &Path, key: &PhotoKey) -> Result<(), MediaError> {
    let beside = match folder.join(key.path(Size::Large).as_ref()).parent() {
        Some(beside) => tokio::fs::read_dir(beside).await,
        None => return Ok(()),
    };
    let mut files = match beside {
        Ok(files) => files,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(MediaError::Folder(error)),
    };
    while let Some(file) = files.next_entry().await.map_err(MediaError::Folder)? {
        if file.file_name().to_str().is_some_and(|name| name.starts_with(key.as_str()) && name.contains('#')) {
            match tokio::fs::remove_file(file.path()).await {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(MediaError::Folder(error)),
                _ => {}
            }
        }
    }
    Ok(())
}

async fn bounded<T>(work: impl Future<Output = Result<T, MediaError>>) -> Result<T, MediaError> {
    timeout(Duration::from_millis(MEDIA_WAIT_MS_MAX), work).await.unwrap_or(Err(MediaError::Slow))
}

/// The name of one stored photo, in both sizes: 48 lower-case hexadecimal digits, half hash and half chance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PhotoKey(String);

/// The text is no key; it never becomes a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a photo key has {KEY_CHARS} lower-case hexadecimal digits")]
pub struct NotAKey;

impl PhotoKey {
    /// A new key each time, for equal photos too, so that deleting one player's photo never takes another's.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let hash = Sha256::digest(content);
        let salt: [u8; SALT_BYTES] = rand::random();
        Self(hash[..HASH_BYTES].iter().chain(&salt).map(|byte| format!("{byte:02x}")).collect())
    }

    /// For the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Two levels of folders of 256 each, so that a million photos make folders of a few dozen files.
    fn path(&self, size: Size) -> StorePath {
        let size = match size {
            Size::Large => "large",
            Size::Small => "small",
        };
        StorePath::from(format!("{}/{}/{}-{size}.jpg", &self.0[..2], &self.0[2..4], self.0))
    }
}

impl FromStr for PhotoKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let is_key = text.len() == KEY_CHARS && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if is_key { Ok(Self(text.to_owned())) } else { Err(NotAKey) }
    }
}

impl fmt::Display for PhotoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Error;

    use super::*;
    use crate::error::ApiError;

    fn told(error: Error) -> ApiError {
        let error = object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(error) };
        MediaError::from(error).into()
    }

    #[test]
    fn a_full_disk_is_told_as_one() {
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            assert_eq!(told(kind.into()).code(), "storage_full");
        }
        // As the system says it.
        assert_eq!(told(Error::from_raw_os_error(28)).code(), "storage_full");
        assert_eq!(told(ErrorKind::PermissionDenied.into()).code(), "internal");
    }
}
