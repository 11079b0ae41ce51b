//! Entities kept as documents: Orgs, Users, Scripts, Campaigns, strategies, SubCampaigns, batches, Lists, rules, Jobs.
//! They are few and change seldom, so one table of documents with a unique name per scope serves them all; what moves
//! while a campaign runs has aggregates of its own.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::{Error, Result};
use carillon_model::entity::{Entity, Kind};
use carillon_model::script::Content;
use carillon_model::{Moment, ScriptId};

/// An entity as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// Its internalId.
    pub id: i64,
    /// In what its name is unique.
    pub scope: i64,
    /// The folded name; none = not unique by name. Deleted documents keep it and free it.
    pub name: Option<String>,
    /// When it was made.
    pub created: Moment,
    /// Whether it was deleted (softly).
    pub deleted: bool,
    /// Counts up with every change: the ETag of the JSON door.
    pub version: u64,
    /// The entity as JSON.
    pub body: Vec<u8>,
}

/// Which documents of a kind and scope.
#[derive(Debug, Clone, Copy)]
pub struct DocumentQuery {
    /// Kind.
    pub kind: Kind,
    /// Scope; none = all scopes.
    pub scope: Option<i64>,
    /// Deleted ones too.
    pub include_deleted: bool,
    /// Only ids above this one: how pages go on. Documents come by id ascending, which is the order of creation.
    pub after: i64,
    /// At most so many.
    pub limit: usize,
}

/// Reading documents.
pub trait EntityRead {
    /// A document by id, deleted or not.
    fn document(&self, kind: Kind, id: i64) -> Result<Option<Document>>;
    /// The live document of a folded name in a scope.
    fn document_by_name(&self, kind: Kind, scope: i64, name: &str) -> Result<Option<Document>>;
    /// Documents by id ascending.
    fn documents(&self, query: DocumentQuery) -> Result<Vec<Document>>;
    /// How many live documents of a kind are in a scope.
    fn count_documents(&self, kind: Kind, scope: i64) -> Result<u64>;
    /// The contents of a Script.
    fn script_contents(&self, script: ScriptId) -> Result<Vec<Content>>;
}

/// Writing documents.
pub trait EntityWrite {
    /// The first of `count` new ids; all entities, contacts and attempts draw from the one sequence. Ids drawn by a unit
    /// that fails are lost, never drawn again.
    fn take_ids(&mut self, count: u64) -> Result<i64>;
    /// Adds a document; [`Error::NameInUse`] when its name is taken.
    fn insert_document(&mut self, document: &Document) -> Result<()>;
    /// Replaces a document by one with the next version; [`Error::Missing`] when it is not there.
    fn replace_document(&mut self, document: &Document) -> Result<()>;
    /// Keeps the contents of a Script, once.
    fn put_script_contents(&mut self, script: ScriptId, contents: &[Content]) -> Result<()>;
}

/// A typed entity with what the store knows about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<E> {
    /// The entity.
    pub entity: E,
    /// Its version.
    pub version: u64,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// Typed reading, for every backend.
pub trait EntityReadExt: EntityRead {
    /// A live entity by id.
    fn get<E: Entity>(&self, id: E::Id) -> Result<Option<E>> {
        Ok(self
            .stored::<E>(id)?
            .filter(|stored| !stored.deleted)
            .map(|stored| stored.entity))
    }

    /// An entity by id, deleted or not, with its version.
    fn stored<E: Entity>(&self, id: E::Id) -> Result<Option<Stored<E>>> {
        self.document(E::KIND, id.into())?.map(read).transpose()
    }

    /// The live entity of a name (compared without case) in a scope.
    fn find<E: Entity>(&self, scope: i64, name: &str) -> Result<Option<E>> {
        let found = self.document_by_name(E::KIND, scope, &carillon_model::name::fold(name))?;
        Ok(found
            .map(read::<E>)
            .transpose()?
            .map(|stored| stored.entity))
    }

    /// Live entities of a scope by id ascending, at most `limit`.
    fn all<E: Entity>(&self, scope: Option<i64>, after: i64, limit: usize) -> Result<Vec<E>> {
        let query = DocumentQuery {
            kind: E::KIND,
            scope,
            include_deleted: false,
            after,
            limit,
        };
        self.documents(query)?
            .into_iter()
            .map(|document| Ok(read::<E>(document)?.entity))
            .collect()
    }
}

impl<T: EntityRead + ?Sized> EntityReadExt for T {}

/// Typed writing, for every backend.
pub trait EntityWriteExt: EntityRead + EntityWrite {
    /// Adds an entity.
    fn insert<E: Entity>(&mut self, entity: &E) -> Result<()> {
        self.insert_document(&document(entity, 1, false))
    }

    /// Replaces an entity; its version counts up. Answers the new version.
    fn replace<E: Entity>(&mut self, entity: &E) -> Result<u64> {
        self.write_next(entity, false)
    }

    /// Deletes an entity softly: its name is free again, what refers to it can still read it.
    fn delete<E: Entity>(&mut self, entity: &E) -> Result<()> {
        self.write_next(entity, true).map(|_| ())
    }

    /// Writes the next version of an entity.
    fn write_next<E: Entity>(&mut self, entity: &E, deleted: bool) -> Result<u64> {
        let id = entity.base().internal_id;
        let present = self.document(E::KIND, id)?.ok_or(Error::Missing {
            what: "document",
            id,
        })?;
        let next = document(entity, present.version + 1, deleted);
        self.replace_document(&next)?;
        Ok(next.version)
    }
}

impl<T: EntityRead + EntityWrite + ?Sized> EntityWriteExt for T {}

fn document<E: Entity>(entity: &E, version: u64, deleted: bool) -> Document {
    Document {
        kind: E::KIND,
        id: entity.base().internal_id,
        scope: entity.scope(),
        name: entity.unique_name(),
        created: entity.base().created,
        deleted,
        version,
        body: serde_json::to_vec(entity)
            .expect("entities have string keys only and always serialise"),
    }
}

fn read<E: Entity>(document: Document) -> Result<Stored<E>> {
    let entity = serde_json::from_slice(&document.body).map_err(|error| Error::Damaged {
        table: "document",
        column: "body",
        id: document.id,
        detail: error.to_string(),
    })?;
    Ok(Stored {
        entity,
        version: document.version,
        deleted: document.deleted,
    })
}
