//! Documents in PostgreSQL. A taken name is noticed without an error of the database, which would undo the whole unit.

use super::{Document, DocumentQuery, EntityRead, EntityWrite};
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Number, Text, number};
use crate::sqlite::session::rows;
use crate::{Error, Result};
use carillon_model::entity::Kind;
use carillon_model::script::Content;
use carillon_model::{Moment, ScriptId};
use tokio_postgres::Row;

impl EntityRead for Session {
    fn document(&self, kind: Kind, id: i64) -> Result<Option<Document>> {
        self.one(sql!("document"), &[&id, &code(kind)], |row| read(kind, row))
    }

    fn document_by_name(&self, kind: Kind, scope: i64, name: &str) -> Result<Option<Document>> {
        self.one(
            sql!("document_by_name"),
            &[&code(kind), &scope, &Text::new(name)],
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
        let (kind_code, limit) = (code(kind), rows(limit));
        let read = |row: &Row| read(kind, row);
        match scope {
            None => self.list(
                sql!("documents_of_kind"),
                &[&kind_code, &after, &include_deleted, &limit],
                read,
            ),
            Some(scope) => self.list(
                sql!("documents_of_scope"),
                &[&kind_code, &scope, &after, &include_deleted, &limit],
                read,
            ),
        }
    }

    fn count_documents(&self, kind: Kind, scope: i64) -> Result<u64> {
        let count = self.one(sql!("count_documents"), &[&code(kind), &scope], |row| {
            number(row, 0)
        })?;
        Ok(count.map_or(0, i64::unsigned_abs))
    }

    fn script_contents(&self, script: ScriptId) -> Result<Vec<Content>> {
        self.list(sql!("script_contents"), &[&script.0], |row| {
            Ok(Content {
                name: row.try_get(0)?,
                data: row.try_get(1)?,
            })
        })
    }
}

impl EntityWrite for Session {
    fn take_ids(&mut self, count: u64) -> Result<i64> {
        Ok(self.ids.take(count))
    }

    fn insert_document(&mut self, document: &Document) -> Result<()> {
        if self.put_document(sql!("insert_document"), document)? == 1 {
            return Ok(());
        }
        if self
            .query(sql!("document_exists"), &[&document.id])?
            .is_empty()
        {
            return Err(Error::NameInUse);
        }
        Err(Error::Database(format!(
            "document {} is there already",
            document.id
        )))
    }

    fn replace_document(&mut self, document: &Document) -> Result<()> {
        let name = document.name.as_deref().filter(|_| !document.deleted);
        if let Some(name) = name {
            let taken = self.query(
                sql!("name_is_taken"),
                &[
                    &code(document.kind),
                    &document.scope,
                    &Text::new(name),
                    &document.id,
                ],
            )?;
            if !taken.is_empty() && self.document(document.kind, document.id)?.is_some() {
                return Err(Error::NameInUse);
            }
        }
        match self.put_document(sql!("replace_document"), document)? {
            0 => Err(Error::Missing {
                what: "document",
                id: document.id,
            }),
            _ => Ok(()),
        }
    }

    fn put_script_contents(&mut self, script: ScriptId, contents: &[Content]) -> Result<()> {
        let names: Vec<Text<'_>> = contents
            .iter()
            .map(|content| Text::new(&content.name))
            .collect();
        let data: Vec<&[u8]> = contents
            .iter()
            .map(|content| content.data.as_slice())
            .collect();
        self.execute(sql!("insert_script_contents"), &[&script.0, &names, &data])
            .map(|_| ())
    }
}

impl Session {
    /// Answers how many rows were written.
    fn put_document(&self, sql: &'static str, document: &Document) -> Result<usize> {
        self.execute(
            sql,
            &[
                &document.id,
                &code(document.kind),
                &document.scope,
                &Text::maybe(&document.name),
                &document.created.0,
                &document.deleted,
                &document.version.cast_signed(),
                &document.body,
            ],
        )
    }
}

fn code(kind: Kind) -> Number {
    Number(kind as i64)
}

fn read(kind: Kind, row: &Row) -> Result<Document> {
    Ok(Document {
        kind,
        id: number(row, 0)?,
        scope: number(row, 1)?,
        name: row.try_get(2)?,
        created: Moment(number(row, 3)?),
        deleted: row.try_get(4)?,
        version: number(row, 5)?.cast_unsigned(),
        body: row.try_get(6)?,
    })
}
