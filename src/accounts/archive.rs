//! A ZIP that is written piece by piece on a thread of its own, into a file without a name: whatever becomes of the process,
//! nothing of it stays.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Seek, Write},
    os::unix::fs::OpenOptionsExt,
};

use bytes::Bytes;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::task::TaskTracker;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Pieces that wait for the disk; whoever brings more waits too.
const PIECES_WAITING_MAX: usize = 4;

enum Piece {
    Begin { name: String, method: CompressionMethod },
    Bytes(Bytes),
}

/// A ZIP that is being written.
pub(super) struct Archive {
    pieces: mpsc::Sender<Piece>,
    written: JoinHandle<anyhow::Result<File>>,
}

impl Archive {
    pub(super) fn begin(tasks: &TaskTracker) -> Self {
        let (pieces, coming) = mpsc::channel(PIECES_WAITING_MAX);
        Self { pieces, written: tasks.spawn_blocking(move || write(coming)) }
    }

    /// Begins a file of text.
    pub(super) async fn text(&self, name: &str) {
        self.put(Piece::Begin { name: name.to_owned(), method: CompressionMethod::Deflated }).await;
    }

    /// A picture, which is packed already.
    pub(super) async fn picture(&self, name: String, jpeg: Bytes) {
        self.put(Piece::Begin { name, method: CompressionMethod::Stored }).await;
        self.bytes(jpeg).await;
    }

    /// What comes next in the file that was begun last.
    pub(super) async fn bytes(&self, bytes: impl Into<Bytes>) {
        self.put(Piece::Bytes(bytes.into())).await;
    }

    async fn put(&self, piece: Piece) {
        // Who writes is gone only after a failure, which the end tells.
        let _unless_failed = self.pieces.send(piece).await;
    }

    /// The whole of it, to be read from its beginning.
    pub(super) async fn end(self) -> anyhow::Result<File> {
        drop(self.pieces);
        self.written.await?
    }
}

fn write(mut coming: mpsc::Receiver<Piece>) -> anyhow::Result<File> {
    let mut zip = ZipWriter::new(BufWriter::new(unnamed()?));
    while let Some(piece) = coming.blocking_recv() {
        match piece {
            Piece::Begin { name, method } => {
                zip.start_file(name, SimpleFileOptions::default().compression_method(method))?;
            }
            Piece::Bytes(bytes) => zip.write_all(&bytes)?,
        }
    }
    let mut file = zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

fn unnamed() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("lastbite-export-{}", uuid::Uuid::new_v4().simple()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
