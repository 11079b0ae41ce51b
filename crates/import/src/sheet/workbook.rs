//! What an Excel file says besides its rows: which sheet is the first one, how its cells are shown, and the texts that
//! cells share.

use super::archive::{Archive, damaged};
use super::format::Format;
use super::xml::{Xml, append, attributes};
use crate::Result;
use crate::limits::{
    CELL_FORMATS_MAX, SHARED_TEXT_BYTES_MAX, SHARED_TEXTS_MAX, SMALL_PART_BYTES_MAX,
    UNPACKED_BYTES_MAX,
};
use quick_xml::events::Event;
use std::collections::{BTreeMap, HashMap};

/// The parts of a workbook besides its sheet.
#[derive(Debug)]
pub(super) struct Workbook {
    /// The part that holds the first sheet.
    pub sheet: String,
    /// Whether days are counted from 1904.
    pub is_1904: bool,
    /// How cells are shown, by style.
    pub formats: Vec<Format>,
    /// What cells share.
    pub texts: Texts,
}

/// Texts in one piece of memory.
#[derive(Debug, Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<u32>,
}

impl Texts {
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        Some(&self.text[start..end])
    }
}

/// The target of a relationship, and the last word of its type.
struct Relation {
    target: String,
    kind: String,
}

impl Workbook {
    /// Reads everything but the sheet.
    pub fn read(archive: &mut Archive) -> Result<Self> {
        let package = relations(archive, "", "_rels/.rels")?;
        let main = package
            .values()
            .find(|relation| relation.kind == "officeDocument")
            .ok_or_else(|| damaged("it is no Excel workbook"))?;
        let path = main.target.clone();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let relations = relations(
            archive,
            folder,
            &join(folder, &format!("_rels/{name}.rels")),
        )?;
        let (sheet, is_1904) = first_sheet(archive, &path, &relations)?;
        let part = |kind: &str| relations.values().find(|relation| relation.kind == kind);
        let formats = match part("styles") {
            Some(styles) => formats(archive, &styles.target)?,
            None => Vec::new(),
        };
        let texts = match part("sharedStrings") {
            Some(texts) => shared_texts(archive, &texts.target)?,
            None => Texts::default(),
        };
        Ok(Self {
            sheet,
            is_1904,
            formats,
            texts,
        })
    }
}

/// A part that is missing is no part of an Excel file.
fn small(archive: &mut Archive, path: &str) -> Result<Xml> {
    archive
        .open(path, SMALL_PART_BYTES_MAX)?
        .ok_or_else(|| damaged(&format!("it is no Excel workbook: {path} is missing")))
}

fn join(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').collect(),
    };
    for part in target.split('/') {
        match part {
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.retain(|part| !matches!(*part, "" | "."));
    parts.join("/")
}

fn relations(
    archive: &mut Archive,
    folder: &str,
    path: &str,
) -> Result<BTreeMap<String, Relation>> {
    let mut xml = small(archive, path)?;
    let mut relations = BTreeMap::new();
    loop {
        match xml.next()? {
            Event::Start(start) if start.local_name().as_ref() == "Relationship" => {
                let (mut id, mut target, mut kind) = Default::default();
                attributes(&start, |name, value| match name {
                    "Id" => id = value.to_owned(),
                    "Target" => target = join(folder, value),
                    "Type" => {
                        kind = value.rsplit('/').next().unwrap_or_default().to_owned();
                    }
                    _ => {}
                })?;
                relations.insert(id, Relation { target, kind });
            }
            Event::End(end) if end.local_name().as_ref() == "Relationships" => {
                return Ok(relations);
            }
            _ => {}
        }
    }
}

/// The first worksheet that is not hidden, and whether days are counted from 1904.
fn first_sheet(
    archive: &mut Archive,
    path: &str,
    relations: &BTreeMap<String, Relation>,
) -> Result<(String, bool)> {
    let mut xml = small(archive, path)?;
    let (mut sheet, mut is_1904) = (None, false);
    loop {
        match xml.next()? {
            Event::Start(start) if start.local_name().as_ref() == "workbookPr" => {
                attributes(&start, |name, value| {
                    if name == "date1904" {
                        is_1904 = matches!(value, "1" | "true");
                    }
                })?;
            }
            Event::Start(start) if start.local_name().as_ref() == "sheet" => {
                let (mut is_visible, mut relation) = (true, None);
                attributes(&start, |name, value| match name {
                    "state" => is_visible = value == "visible",
                    "id" => relation = relations.get(value),
                    _ => {}
                })?;
                let worksheet = relation
                    .filter(|relation| is_visible && relation.kind == "worksheet")
                    .map(|relation| relation.target.clone());
                sheet = sheet.or(worksheet);
            }
            Event::End(end) if end.local_name().as_ref() == "workbook" => {
                let sheet = sheet.ok_or_else(|| damaged("it has no sheet that is shown"))?;
                return Ok((sheet, is_1904));
            }
            _ => {}
        }
    }
}

/// The format of each style.
fn formats(archive: &mut Archive, path: &str) -> Result<Vec<Format>> {
    let mut xml = small(archive, path)?;
    let mut custom: HashMap<u32, Format> = HashMap::new();
    let mut formats = Vec::new();
    let mut is_cell = false;
    loop {
        match xml.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "numFmt" => {
                    let (mut id, mut format) = (None, Format::General);
                    attributes(&start, |name, value| match name {
                        "numFmtId" => id = value.parse().ok(),
                        "formatCode" => format = Format::of(value),
                        _ => {}
                    })?;
                    if let Some(id) = id.filter(|_| custom.len() < CELL_FORMATS_MAX) {
                        custom.insert(id, format);
                    }
                }
                "cellXfs" => is_cell = true,
                "xf" if is_cell => {
                    let mut id = 0;
                    attributes(&start, |name, value| {
                        if name == "numFmtId" {
                            id = value.parse().unwrap_or(0);
                        }
                    })?;
                    if formats.len() == CELL_FORMATS_MAX {
                        return Err(damaged("it has too many cell formats"));
                    }
                    let format = custom.get(&id).cloned();
                    formats.push(format.unwrap_or_else(|| Format::built_in(id)));
                }
                _ => {}
            },
            Event::End(end) => match end.local_name().as_ref() {
                "cellXfs" => is_cell = false,
                "styleSheet" => return Ok(formats),
                _ => {}
            },
            _ => {}
        }
    }
}

/// The texts, without what tells how they are spoken.
fn shared_texts(archive: &mut Archive, path: &str) -> Result<Texts> {
    let Some(mut xml) = archive.open(path, UNPACKED_BYTES_MAX)? else {
        return Ok(Texts::default());
    };
    let mut texts = Texts::default();
    let (mut is_text, mut is_spoken) = (false, false);
    loop {
        match xml.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "rPh" => is_spoken = true,
                "t" => is_text = !is_spoken,
                _ => {}
            },
            Event::End(end) => match end.local_name().as_ref() {
                "rPh" => is_spoken = false,
                "t" => is_text = false,
                "si" => {
                    if texts.ends.len() == SHARED_TEXTS_MAX {
                        return Err(damaged("its cells hold too many different texts"));
                    }
                    texts.ends.push(texts.text.len() as u32);
                }
                "sst" => return Ok(texts),
                _ => {}
            },
            event if is_text => {
                append(&mut texts.text, &event)?;
                if texts.text.len() > SHARED_TEXT_BYTES_MAX {
                    return Err(damaged("the different texts of its cells are too long"));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_paths() {
        for (folder, target, path) in [
            ("", "xl/workbook.xml", "xl/workbook.xml"),
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/xl/styles.xml", "xl/styles.xml"),
            ("xl", "../a/./b.xml", "a/b.xml"),
            ("", "../../a", "a"),
        ] {
            assert_eq!(join(folder, target), path);
        }
    }
}
