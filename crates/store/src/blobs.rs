//! The store of documents: a local folder, or a bucket that speaks S3.
//!
//! An object is written once, under its tenant's name and its own, and never changed. What is written is durable before
//! it can be found; what was not written to its end is never found.

use crate::Error;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, GetResultPayload, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, PutPayloadMut,
    RetryConfig,
};
use sql::ids::{ObjectId, TenantId};
use std::io::SeekFrom;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Where documents are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket and a prefix in it.
    Bucket {
        /// `s3://bucket/prefix`.
        url: String,
        /// The prefix, which may be empty.
        prefix: String,
    },
}

impl Location {
    /// Reads `file:///folder` or `s3://bucket/prefix`.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let wrong = || Error::Schema("documents_url must be file:///folder or s3://bucket/prefix".to_owned());
        let parsed = url::Url::parse(url).map_err(|_| wrong())?;
        match parsed.scheme() {
            "file" => parsed.to_file_path().map(Self::Folder).map_err(|()| wrong()),
            "s3" if parsed.host_str().is_some_and(|bucket| !bucket.is_empty()) => Ok(Self::Bucket {
                url: url.to_owned(),
                prefix: parsed.path().trim_matches('/').to_owned(),
            }),
            _ => Err(wrong()),
        }
    }
}

/// The store of documents.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Where parts of objects stand that were not written to their end.
    folder: Option<PathBuf>,
    /// Bytes that are held in memory for each upload.
    part: usize,
}

/// Bytes that are read or written in a folder at once.
const CHUNK: usize = 256 * 1024;
/// Bytes of a part of an upload to a bucket: the least that S3 takes, for parts that are not the last.
const BUCKET_PART: usize = 5 * 1024 * 1024;
/// How long a request to a bucket is repeated.
const PERSISTENCE: Duration = Duration::from_secs(20);

impl Blobs {
    /// Opens the store; a folder is made when it is missing. A bucket takes its address and credentials from the
    /// usual `AWS_…` variables of the environment.
    pub fn open(location: &Location) -> Result<Self, Error> {
        match location {
            Location::Folder(folder) => {
                make_folder(folder).map_err(|error| Error::Blobs(format!("{}: {error}", folder.display())))?;
                let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
                Ok(Self {
                    store: Arc::new(store),
                    prefix: Path::default(),
                    folder: Some(folder.clone()),
                    part: CHUNK,
                })
            }
            Location::Bucket { url, prefix } => {
                let retry = RetryConfig {
                    max_retries: 3,
                    retry_timeout: PERSISTENCE,
                    ..RetryConfig::default()
                };
                // One request for each object that is removed: not every store takes lists of them.
                let store = AmazonS3Builder::from_env()
                    .with_url(url)
                    .with_retry(retry)
                    .with_disable_bulk_delete(true)
                    .build()?;
                Ok(Self {
                    store: Arc::new(store),
                    prefix: Path::from(prefix.as_str()),
                    folder: None,
                    part: BUCKET_PART,
                })
            }
        }
    }

    fn folder_of(&self, tenant: TenantId) -> Path {
        self.prefix.clone().join(tenant.to_string())
    }

    fn path(&self, tenant: TenantId, object: ObjectId) -> Path {
        self.folder_of(tenant).join(object.to_string())
    }

    /// Begins to write a new object.
    pub fn begin(&self, tenant: TenantId, object: ObjectId) -> Upload {
        Upload {
            path: self.path(tenant, object),
            store: Arc::clone(&self.store),
            buffer: PutPayloadMut::new(),
            part: self.part,
            parts: None,
        }
    }

    /// Reads a part of an object, in chunks.
    pub async fn read(
        &self,
        tenant: TenantId,
        object: ObjectId,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range.clone())),
            ..GetOptions::default()
        };
        let found = self.store.get_opts(&self.path(tenant, object), options).await?;
        match found.payload {
            GetResultPayload::File(file, _) => read_file(tokio::fs::File::from_std(file), range).await,
            GetResultPayload::Stream(stream) => Ok(stream.map_err(Error::from).boxed()),
        }
    }

    /// Removes objects. One that is not there is removed already.
    pub async fn remove(&self, tenant: TenantId, objects: &[ObjectId]) -> Result<(), Error> {
        for object in objects {
            match self.store.delete(&self.path(tenant, *object)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The objects of a tenant that were written before an instant. Whatever else lies there is left alone.
    pub fn older_than(&self, tenant: TenantId, instant: DateTime<Utc>) -> BoxStream<'static, Result<ObjectId, Error>> {
        let listed = self.store.list(Some(&self.folder_of(tenant)));
        let named = move |found: object_store::ObjectMeta| {
            let object = found.location.filename().and_then(|name| name.parse().ok());
            object.filter(|_| found.last_modified < instant)
        };
        listed
            .map_err(Error::from)
            .try_filter_map(move |found| std::future::ready(Ok(named(found))))
            .boxed()
    }

    /// Removes what a process that was killed had begun to write into a tenant's folder before an instant. In a bucket
    /// such parts never show; there a lifecycle rule removes them.
    pub async fn remove_parts(&self, tenant: TenantId, instant: DateTime<Utc>) -> Result<usize, Error> {
        let Some(folder) = &self.folder else { return Ok(0) };
        let mut entries = match tokio::fs::read_dir(folder.join(tenant.to_string())).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let (instant, mut removed) = (SystemTime::from(instant), 0);
        while let Some(entry) = entries.next_entry().await? {
            // What is being written has the object's name, `#` and a number.
            let name = entry.file_name();
            let object = name.to_str().and_then(|name| name.split_once('#'));
            let is_part = object.is_some_and(|(object, _)| object.parse::<ObjectId>().is_ok());
            // It may have found its end meanwhile.
            let modified = entry.metadata().await.and_then(|entry| entry.modified());
            if is_part && modified.is_ok_and(|modified| modified < instant) {
                match tokio::fs::remove_file(entry.path()).await {
                    Ok(()) => removed += 1,
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(removed)
    }
}

/// Makes a folder that others may not look into, durably.
fn make_folder(folder: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    match folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => std::fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

async fn read_file(
    mut file: tokio::fs::File,
    range: Range<u64>,
) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
    file.seek(SeekFrom::Start(range.start)).await?;
    let part = file.take(range.end - range.start);
    let chunks = stream::try_unfold(part, |mut part| async move {
        let mut chunk = bytes::BytesMut::with_capacity(CHUNK);
        let read = part.read_buf(&mut chunk).await?;
        Ok((read > 0).then(|| (chunk.freeze(), part)))
    });
    Ok(chunks.boxed())
}

/// An object that is being written. One that is dropped before [`Upload::finish`] leaves nothing.
#[derive(Debug)]
pub struct Upload {
    store: Arc<dyn ObjectStore>,
    path: Path,
    buffer: PutPayloadMut,
    part: usize,
    parts: Option<Box<dyn MultipartUpload>>,
}

impl Upload {
    /// Writes on. At most a part is held in memory.
    pub async fn write(&mut self, chunk: Bytes) -> Result<(), Error> {
        self.buffer.push(chunk);
        if self.buffer.content_length() < self.part {
            return Ok(());
        }
        let part = std::mem::take(&mut self.buffer).freeze();
        self.parts().await?.put_part(part).await?;
        Ok(())
    }

    async fn parts(&mut self) -> Result<&mut Box<dyn MultipartUpload>, Error> {
        let parts = match self.parts.take() {
            Some(parts) => parts,
            None => self.store.put_multipart(&self.path).await?,
        };
        Ok(self.parts.insert(parts))
    }

    /// Ends the object. It is durable when this returns.
    pub async fn finish(mut self) -> Result<(), Error> {
        let rest: PutPayload = std::mem::take(&mut self.buffer).freeze();
        let Some(parts) = &mut self.parts else {
            self.store.put(&self.path, rest).await?;
            return Ok(());
        };
        if rest.content_length() > 0 {
            parts.put_part(rest).await?;
        }
        parts.complete().await?;
        self.parts = None;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (Some(mut parts), Ok(runtime)) = (self.parts.take(), tokio::runtime::Handle::try_current()) {
            // What cannot be given up now is removed when it is old.
            runtime.spawn(async move { drop(parts.abort().await) });
        }
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        Self::Blobs(error.to_string())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Blobs(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_folder_or_a_bucket() {
        let folder = Location::parse("file:///var/lib/rapport/documents").unwrap();
        assert_eq!(folder, Location::Folder("/var/lib/rapport/documents".into()));
        for (url, prefix) in [
            ("s3://crm-documents", ""),
            ("s3://crm-documents/", ""),
            ("s3://crm-documents/rapport/live/", "rapport/live"),
        ] {
            let bucket = Location::parse(url).unwrap();
            let expected = Location::Bucket {
                url: url.to_owned(),
                prefix: prefix.to_owned(),
            };
            assert_eq!(bucket, expected);
            let blobs = Blobs::open(&bucket).unwrap();
            assert_eq!((blobs.prefix.as_ref(), blobs.part), (prefix, BUCKET_PART));
            assert!(blobs.store.to_string().contains("crm-documents"), "{}", blobs.store);
        }
        for url in [
            "",
            "documents",
            "s3://",
            "gs://bucket",
            "https://bucket.example.com",
            "file://host/folder",
        ] {
            assert!(Location::parse(url).is_err(), "{url}");
        }
    }

    async fn read_all(blobs: &Blobs, tenant: TenantId, object: ObjectId, range: Range<u64>) -> Vec<u8> {
        let chunks = blobs.read(tenant, object, range).await.unwrap();
        chunks.try_collect::<Vec<_>>().await.unwrap().concat()
    }

    #[tokio::test]
    async fn an_object_is_there_when_it_is_finished_and_never_before() {
        let folder = std::env::temp_dir().join(format!("rapport-blobs-{}", ObjectId::new()));
        let blobs = Blobs::open(&Location::Folder(folder.clone())).unwrap();
        let (tenant, object, given_up) = (TenantId::new(), ObjectId::new(), ObjectId::new());
        let chunk = Bytes::from((0..CHUNK).map(|n| u8::try_from(n % 251).unwrap()).collect::<Vec<_>>());
        let mut upload = blobs.begin(tenant, object);
        let mut dropped = blobs.begin(tenant, given_up);
        for _ in 0..3 {
            upload.write(chunk.clone()).await.unwrap();
            dropped.write(chunk.clone()).await.unwrap();
        }
        upload.write(Bytes::from_static(b"the end")).await.unwrap();
        assert!(blobs.read(tenant, object, 0..1).await.is_err(), "it is not finished");
        upload.finish().await.unwrap();
        drop(dropped);

        let size = u64::try_from(3 * CHUNK + 7).unwrap();
        assert_eq!(read_all(&blobs, tenant, object, size - 7..size).await, b"the end");
        assert_eq!(read_all(&blobs, tenant, object, 0..size).await.len(), 3 * CHUNK + 7);
        assert!(
            blobs.read(TenantId::new(), object, 0..1).await.is_err(),
            "it is the tenant's"
        );

        let later = Utc::now() + chrono::Duration::seconds(5);
        let listed = async |instant| blobs.older_than(tenant, instant).try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(listed(later).await, [object]);
        assert_eq!(listed(later - chrono::Duration::days(1)).await, []);
        blobs.remove(tenant, &[object, given_up]).await.unwrap();
        assert_eq!(listed(later).await, []);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn what_a_killed_process_had_begun_is_removed_when_it_is_old() {
        let folder = std::env::temp_dir().join(format!("rapport-blobs-{}", ObjectId::new()));
        let blobs = Blobs::open(&Location::Folder(folder.clone())).unwrap();
        let (tenant, object) = (TenantId::new(), ObjectId::new());
        blobs.begin(tenant, object).finish().await.unwrap();
        let part = folder.join(format!("{tenant}/{}#1", ObjectId::new()));
        let foreign = folder.join(format!("{tenant}/read me#1"));
        for file in [&part, &foreign] {
            std::fs::write(file, "begun").unwrap();
        }
        let later = Utc::now() + chrono::Duration::seconds(5);
        let yesterday = later - chrono::Duration::days(1);
        assert_eq!(blobs.remove_parts(tenant, yesterday).await.unwrap(), 0);
        assert_eq!(blobs.remove_parts(tenant, later).await.unwrap(), 1);
        assert!(!part.exists() && foreign.exists());
        assert_eq!(blobs.remove_parts(TenantId::new(), later).await.unwrap(), 0);
        let listed: Vec<_> = blobs.older_than(tenant, later).try_collect().await.unwrap();
        assert_eq!(listed, [object], "foreign files are no objects");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
