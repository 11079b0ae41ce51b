//! Documents in memory.

use super::{Document, DocumentQuery, EntityRead, EntityWrite};
use crate::memory::State;
use crate::{Error, Result};
use carillon_model::ScriptId;
use carillon_model::entity::Kind;
use carillon_model::script::Content;
use imbl::OrdMap;
use std::sync::Arc;

/// Documents by id, the names of live ones, contents of Scripts.
#[derive(Clone, Default)]
pub(crate) struct Documents {
    documents: OrdMap<i64, Arc<Document>>,
    by_kind: OrdMap<(Kind, i64), ()>,
    by_scope: OrdMap<(Kind, i64, i64), ()>,
    names: OrdMap<(Kind, i64, String), i64>,
    contents: OrdMap<ScriptId, Arc<Vec<Content>>>,
}

impl Documents {
    fn live_name(document: &Document) -> Option<(Kind, i64, String)> {
        let name = document.name.clone().filter(|_| !document.deleted)?;
        Some((document.kind, document.scope, name))
    }

    /// Takes the name of a document, unless another has it.
    fn claim_name(&mut self, document: &Document) -> Result<()> {
        if let Some(key) = Self::live_name(document) {
            if self
                .names
                .get(&key)
                .is_some_and(|owner| *owner != document.id)
            {
                return Err(Error::NameInUse);
            }
            self.names.insert(key, document.id);
        }
        Ok(())
    }

    fn put(&mut self, document: &Document) {
        self.by_kind.insert((document.kind, document.id), ());
        self.by_scope
            .insert((document.kind, document.scope, document.id), ());
        self.documents
            .insert(document.id, Arc::new(document.clone()));
    }
}

impl EntityRead for State {
    fn document(&self, kind: Kind, id: i64) -> Result<Option<Document>> {
        let found = self
            .entity
            .documents
            .get(&id)
            .filter(|document| document.kind == kind);
        Ok(found.map(|document| Document::clone(document)))
    }

    fn document_by_name(&self, kind: Kind, scope: i64, name: &str) -> Result<Option<Document>> {
        match self.entity.names.get(&(kind, scope, name.to_owned())) {
            Some(id) => self.document(kind, *id),
            None => Ok(None),
        }
    }

    fn documents(&self, query: DocumentQuery) -> Result<Vec<Document>> {
        let DocumentQuery {
            kind,
            scope,
            include_deleted,
            after,
            limit,
        } = query;
        let Some(first) = after.checked_add(1) else {
            return Ok(Vec::new());
        };
        let documents = &self.entity.documents;
        let read = |id: i64| {
            let document = documents.get(&id)?;
            (include_deleted || !document.deleted).then(|| Document::clone(document))
        };
        let found = match scope {
            None => {
                let range = self.entity.by_kind.range((kind, first)..=(kind, i64::MAX));
                range
                    .filter_map(|((_, id), ())| read(*id))
                    .take(limit)
                    .collect()
            }
            Some(scope) => {
                let range = self
                    .entity
                    .by_scope
                    .range((kind, scope, first)..=(kind, scope, i64::MAX));
                range
                    .filter_map(|((_, _, id), ())| read(*id))
                    .take(limit)
                    .collect()
            }
        };
        Ok(found)
    }

    fn count_documents(&self, kind: Kind, scope: i64) -> Result<u64> {
        let query = DocumentQuery {
            kind,
            scope: Some(scope),
            include_deleted: false,
            after: i64::MIN,
            limit: usize::MAX,
        };
        Ok(self.documents(query)?.len() as u64)
    }

    fn script_contents(&self, script: ScriptId) -> Result<Vec<Content>> {
        Ok(self
            .entity
            .contents
            .get(&script)
            .map(|contents| Vec::clone(contents))
            .unwrap_or_default())
    }
}

impl EntityWrite for State {
    fn take_ids(&mut self, count: u64) -> Result<i64> {
        let first = self.last_id + 1;
        self.last_id = self.last_id.saturating_add_unsigned(count);
        Ok(first)
    }

    fn insert_document(&mut self, document: &Document) -> Result<()> {
        if self.entity.documents.contains_key(&document.id) {
            return Err(Error::Database(format!(
                "document {} is there already",
                document.id
            )));
        }
        self.entity.claim_name(document)?;
        self.entity.put(document);
        Ok(())
    }

    fn replace_document(&mut self, document: &Document) -> Result<()> {
        let Some(present) = self
            .entity
            .documents
            .get(&document.id)
            .filter(|present| present.kind == document.kind)
        else {
            return Err(Error::Missing {
                what: "document",
                id: document.id,
            });
        };
        let present = Arc::clone(present);
        let (old, new) = (
            Documents::live_name(&present),
            Documents::live_name(document),
        );
        self.entity.claim_name(document)?;
        if let Some(old) = old.filter(|old| new.as_ref() != Some(old)) {
            self.entity.names.remove(&old);
        }
        self.entity
            .by_scope
            .remove(&(present.kind, present.scope, present.id));
        self.entity.put(document);
        Ok(())
    }

    fn put_script_contents(&mut self, script: ScriptId, contents: &[Content]) -> Result<()> {
        if contents.is_empty() {
            return Ok(());
        }
        if self.entity.contents.contains_key(&script) {
            return Err(Error::Database(format!(
                "the contents of Script {script} are there already"
            )));
        }
        self.entity
            .contents
            .insert(script, Arc::new(contents.to_vec()));
        Ok(())
    }
}
