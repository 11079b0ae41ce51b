//! Documents in SQLite.

use super::{Document, DocumentQuery, EntityRead, EntityWrite};
use crate::sqlite::session::{Session, rows};
use crate::sqlite::statement::sql;
use crate::{Error, Result};
use carillon_model::entity::Kind;
use carillon_model::script::Content;
use carillon_model::{Moment, ScriptId};
use rusqlite::{Row, ffi, params};

impl EntityRead for Session {
    fn document(&self, kind: Kind, id: i64) -> Result<Option<Document>> {
        self.one(sql!("document"), params![id, kind as u8], |row| {
            read(kind, row)
        })
    }

    fn document_by_name(&self, kind: Kind, scope: i64, name: &str) -> Result<Option<Document>> {
        self.one(
            sql!("document_by_name"),
            params![kind as u8, scope, name],
            |row| read(kind, row),
        )
    }

    fn documents(&self, query: DocumentQuery) -> Result<Vec<Document>> {
        let DocumentQuery {
            kind,
            scope,
            include_deleted,
            after,
            limit,
        } = query;
        let read = |row: &Row<'_>| read(kind, row);
        match scope {
            None => self.list(
                sql!("documents_of_kind"),
                params![kind as u8, after, include_deleted, rows(limit)],
                read,
            ),
            Some(scope) => self.list(
                sql!("documents_of_scope"),
                params![kind as u8, scope, after, include_deleted, rows(limit)],
                read,
            ),
        }
    }

    fn count_documents(&self, kind: Kind, scope: i64) -> Result<u64> {
        let count = self.one(sql!("count_documents"), params![kind as u8, scope], |row| {
            Ok(row.get::<_, i64>(0)?)
        })?;
        Ok(count.map_or(0, i64::unsigned_abs))
    }

    fn script_contents(&self, script: ScriptId) -> Result<Vec<Content>> {
        self.list(sql!("script_contents"), [script.0], |row| {
            Ok(Content {
                name: row.get(0)?,
                data: row.get(1)?,
            })
        })
    }
}

impl EntityWrite for Session {
    fn take_ids(&mut self, count: u64) -> Result<i64> {
        Ok(self.ids.take(count))
    }

    fn insert_document(&mut self, document: &Document) -> Result<()> {
        self.statement(sql!("insert_document"))?
            .execute(params![
                document.id,
                document.kind as u8,
                document.scope,
                document.name,
                document.created.0,
                document.deleted,
                document.version.cast_signed(),
                document.body,
            ])
            .map_err(name_error)?;
        Ok(())
    }

    fn replace_document(&mut self, document: &Document) -> Result<()> {
        let replaced = self
            .statement(sql!("replace_document"))?
            .execute(params![
                document.id,
                document.kind as u8,
                document.scope,
                document.name,
                document.created.0,
                document.deleted,
                document.version.cast_signed(),
                document.body,
            ])
            .map_err(name_error)?;
        if replaced == 0 {
            return Err(Error::Missing {
                what: "document",
                id: document.id,
            });
        }
        Ok(())
    }

    fn put_script_contents(&mut self, script: ScriptId, contents: &[Content]) -> Result<()> {
        let mut insert = self.statement(sql!("insert_script_content"))?;
        for (position, content) in contents.iter().enumerate() {
            insert.execute(params![
                script.0,
                rows(position),
                content.name,
                content.data
            ])?;
        }
        Ok(())
    }
}

fn read(kind: Kind, row: &Row<'_>) -> Result<Document> {
    Ok(Document {
        kind,
        id: row.get(0)?,
        scope: row.get(1)?,
        name: row.get(2)?,
        created: Moment(row.get(3)?),
        deleted: row.get(4)?,
        version: row.get::<_, i64>(5)?.cast_unsigned(),
        body: row.get(6)?,
    })
}

/// The index on names is the only unique index of documents; a repeated id is refused by the primary key.
fn name_error(error: rusqlite::Error) -> Error {
    match error.sqlite_extended_error_code() {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE) => Error::NameInUse,
        _ => error.into(),
    }
}
