//! Archives beside the photos: large, so they are written and read piece by piece, and gone after a while.
//!
//! A key is drawn before anything is written under it, so that its row can name it first.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::{MultipartUpload, ObjectStoreExt, path::Path as StorePath};
use tokio::{fs::File, io::AsyncReadExt};

use super::{KEY_CHARS, Media, MediaError, NotAKey, bounded};

/// Buckets take no smaller pieces but the last.
const PIECE_BYTES: u64 = 5 * 1024 * 1024;

/// The name of one archive: 48 lower-case hexadecimal digits of chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveKey(String);

impl ArchiveKey {
    #[must_use]
    pub fn random() -> Self {
        let chance: [u8; KEY_CHARS / 2] = rand::random();
        Self(chance.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn path(&self) -> StorePath {
        StorePath::from(format!("exports/{}.zip", self.0))
    }
}

impl fmt::Display for ArchiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ArchiveKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        text.parse::<super::PhotoKey>().map(|key| Self(key.as_str().to_owned()))
    }
}

impl Media {
    /// Keeps an archive, in place of one that was there under this key.
    pub async fn put_archive(&self, key: &ArchiveKey, file: File) -> Result<(), MediaError> {
        let mut upload = bounded(async { Ok(self.store.put_multipart(&key.path()).await?) }).await?;
        let sent = send(upload.as_mut(), file).await;
        if sent.is_err() {
            bounded(async { Ok(upload.abort().await?) }).await.ok();
        }
        sent
    }

    /// An archive's length and its bytes, or none when it is not there (any more).
    pub async fn get_archive(
        &self,
        key: &ArchiveKey,
    ) -> Result<Option<(u64, BoxStream<'static, object_store::Result<Bytes>>)>, MediaError> {
        bounded(async {
            match self.store.get(&key.path()).await {
                Ok(found) => Ok(Some((found.meta.size, found.into_stream()))),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Removes an archive; what is gone already counts as removed.
    pub async fn delete_archive(&self, key: &ArchiveKey) -> Result<(), MediaError> {
        bounded(async {
            match self.store.delete(&key.path()).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }
}

async fn send(upload: &mut dyn MultipartUpload, mut file: File) -> Result<(), MediaError> {
    loop {
        let mut piece = Vec::new();
        (&mut file).take(PIECE_BYTES).read_to_end(&mut piece).await.map_err(MediaError::Unread)?;
        if piece.is_empty() {
            break;
        }
        bounded(async { Ok(upload.put_part(piece.into()).await?) }).await?;
    }
    bounded(async { Ok(upload.complete().await?) }).await?;
    Ok(())
}
