//! The instance fence: a store that was restored or copied sends nothing until somebody says that this copy is the one
//! that shall. The store names its instance, and so does a file beside it, which no backup holds and which knows its own
//! inode, so that a copy of the whole folder is noticed too. What cannot be told from outside is a restored image of a
//! whole disk: it is the same folder in every respect (`docs/backup.md`).

use crate::chance;
use crate::command::Failure;
use carillon_store::{Error, Store, Urgency};
use rand::Rng as _;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Names the instance, in the data folder.
const FILE: &str = "instance";
/// The fact of the store that names the instance.
const FACT: &str = "instance";
/// Longest file that is read: two words.
const FILE_BYTES_MAX: u64 = 256;

/// Why a store is fenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No file names the instance: the store was restored or copied without its folder.
    Missing,
    /// The file names another instance.
    Other,
    /// The file is a copy: the whole folder was copied or moved to another disk.
    Copied,
}

impl Cause {
    /// A sentence for the operator.
    pub fn sentence(self) -> &'static str {
        match self {
            Cause::Missing => "the store was restored or copied",
            Cause::Other => "the store belongs to another instance",
            Cause::Copied => "the data folder was copied",
        }
    }
}

/// Whether a store is fenced, and why. A store that names no instance yet is named now: it is served for the first time.
pub fn check(data: &Path, store: &Store) -> Result<Option<Cause>, Failure> {
    let named = store.read_now(|snapshot| snapshot.fact(FACT))?;
    let Some(named) = named else {
        release(data, store)?;
        return Ok(None);
    };
    let path = data.join(FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Some(Cause::Missing));
        }
        Err(error) => return Err(format!("cannot read {}: {error}", path.display()).into()),
    };
    let inode = file.metadata()?.ino().to_string();
    let text = std::io::read_to_string(std::io::Read::take(file, FILE_BYTES_MAX))?;
    let mut words = text.split_whitespace();
    Ok(match (words.next(), words.next()) {
        (Some(id), _) if id != named => Some(Cause::Other),
        (Some(_), Some(known)) if known == inode => None,
        (None, _) => Some(Cause::Missing),
        _ => Some(Cause::Copied),
    })
}

/// Names a new instance, in the file and then in the store: a crash between the two leaves the fence up.
pub fn release(data: &Path, store: &Store) -> Result<(), Failure> {
    let id = new_id();
    write_file(data, &id)
        .map_err(|error| format!("cannot write {}: {error}", data.join(FILE).display()))?;
    name_store(store, id)
}

/// Makes sure that a store is fenced wherever it is served next, also one that never named an instance.
pub fn raise(store: &Store) -> Result<(), Failure> {
    name_store(store, new_id())
}

fn name_store(store: &Store, id: String) -> Result<(), Failure> {
    store.write_now(Urgency::People, move |transaction| {
        transaction.put_fact(FACT, &id)?;
        Ok::<_, Error>(())
    })?;
    Ok(())
}

fn new_id() -> String {
    format!("{:032x}", chance::generator().random::<u128>())
}

fn write_file(data: &Path, id: &str) -> std::io::Result<()> {
    let partial = data.join(format!("{FILE}.partial"));
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)?;
    let inode = file.metadata()?.ino();
    file.write_all(format!("{id} {inode}\n").as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&partial, data.join(FILE))?;
    File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_fenced_until_released() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (own, copy) = (folder.path().join("own"), folder.path().join("copy"));
        std::fs::create_dir_all(&own).expect("writable");
        std::fs::create_dir_all(&copy).expect("writable");
        let store = Store::memory();
        assert_eq!(check(&own, &store).expect("named"), None, "the first time");
        assert_eq!(check(&own, &store).expect("read"), None, "and again");

        assert_eq!(check(&copy, &store).expect("read"), Some(Cause::Missing));
        std::fs::copy(own.join(FILE), copy.join(FILE)).expect("copied");
        assert_eq!(check(&copy, &store).expect("read"), Some(Cause::Copied));
        std::fs::write(copy.join(FILE), "").expect("written");
        assert_eq!(check(&copy, &store).expect("read"), Some(Cause::Missing));

        release(&copy, &store).expect("released");
        assert_eq!(check(&copy, &store).expect("read"), None);
        assert_eq!(check(&own, &store).expect("read"), Some(Cause::Other));
        raise(&store).expect("raised");
        assert_eq!(check(&copy, &store).expect("read"), Some(Cause::Other));
    }
}
