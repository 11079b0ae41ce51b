//! Pages: SOAP refuses what is too large, the JSON door goes on by cursors (`api.md` J6).

use super::Context;
use crate::door::Door;
use crate::fault::{Code, Fault, Outcome, Row};
use crate::tree::Path;

impl Context {
    /// Cuts a sorted list to a page: on SOAP too many are refused (row Z), on JSON the next page has a cursor.
    /// `key` must rise strictly along the list.
    pub fn page<T>(
        &self,
        items: Vec<T>,
        limit: usize,
        key: impl Fn(&T) -> String,
    ) -> Outcome<(Vec<T>, Option<String>)> {
        if self.door == Door::Soap {
            if items.len() > limit {
                return Err(Fault::of(Row::Z, Path::default(), "").into());
            }
            return Ok((items, None));
        }
        let after = self.cursor()?;
        let size = self.paging.limit.unwrap_or(crate::limits::PAGE_DEFAULT);
        let mut rest = items
            .into_iter()
            .filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
        let page: Vec<T> = rest.by_ref().take(size).collect();
        let more = rest.next().is_some();
        let cursor = page
            .last()
            .filter(|_| more)
            .map(|last| write_cursor(&key(last)));
        Ok((page, cursor))
    }

    /// Where the page begins.
    pub fn cursor(&self) -> Outcome<Option<String>> {
        use base64::Engine as _;
        let Some(cursor) = &self.paging.cursor else {
            return Ok(None);
        };
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(cursor)
            .ok();
        bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(Some)
            .ok_or_else(|| {
                Fault::coded(Code::ArgInvalidData, "the cursor is not one of ours").into()
            })
    }

    /// For lists that the store pages by id: the id to go on after, and how many to ask for (one more than are answered).
    pub fn id_page(&self, limit: usize) -> Outcome<(i64, usize)> {
        match self.door {
            Door::Soap => Ok((0, limit + 1)),
            Door::Json => {
                let after = match self.cursor()? {
                    None => 0,
                    Some(text) => text.parse().map_err(|_| {
                        Fault::coded(Code::ArgInvalidData, "the cursor is not one of ours")
                    })?,
                };
                Ok((
                    after,
                    self.paging.limit.unwrap_or(crate::limits::PAGE_DEFAULT) + 1,
                ))
            }
        }
    }

    /// Ends such a page: what was asked for beyond it is refused on SOAP, and named by a cursor on JSON.
    pub fn end_id_page<T>(
        &self,
        items: &mut Vec<T>,
        asked: usize,
        id: impl Fn(&T) -> i64,
    ) -> Outcome<Option<String>> {
        if items.len() < asked {
            return Ok(None);
        }
        if self.door == Door::Soap {
            return Err(Fault::of(Row::Z, Path::default(), "").into());
        }
        items.truncate(asked - 1);
        Ok(items.last().map(|last| write_cursor(&id(last).to_string())))
    }
}

fn write_cursor(key: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key)
}
