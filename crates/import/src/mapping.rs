//! From a header row (and a mapping, when there is one) to a plan by which every row is read. A column that the mapping
//! names means what the mapping says; the others go by their own names.

use crate::column::{NameOrder, Target};
use crate::limits::{COLUMNS_MAX, HEADER_CHARACTERS_MAX, MAPPING_BYTES_MAX};
use crate::normalise::{self, AttributeKind, Problem, Rules};
use crate::reader::Record;
use crate::report::Report;
use crate::{Error, Result};
use carillon_model::contact::{Contact, Device};
use carillon_model::limits::{ATTRIBUTES_MAX, DEVICES_MAX};
use carillon_model::name::fold;
use carillon_model::{ContactId, DeviceType};

/// How the rows of a file become contacts.
#[derive(Debug)]
pub(crate) struct Plan {
    headers: Vec<String>,
    client_id: Option<usize>,
    full_name: Option<(usize, NameOrder)>,
    devices: Vec<DeviceColumn>,
    /// By name, so that a contact's attributes are built in order.
    attributes: Vec<AttributeColumn>,
}

#[derive(Debug)]
struct DeviceColumn {
    column: usize,
    number: u8,
    device_type: Option<DeviceType>,
}

#[derive(Debug)]
struct AttributeColumn {
    column: usize,
    name: String,
    kind: AttributeKind,
}

/// Why a row is rejected: the column, when it is one, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub column: Option<usize>,
    pub reason: String,
}

impl Plan {
    /// Reads the header row. What is left out or renamed is told in the report.
    pub fn new(header: &Record, mapping: Option<&str>, report: &mut Report) -> Result<Self> {
        let headers: Vec<String> = header.fields().map(|name| name.trim().to_owned()).collect();
        let folded: Vec<String> = headers.iter().map(|name| fold(name)).collect();
        check_headers(&headers, &folded)?;
        let mut header_note = |column: usize, outcome: &str, detail: &str| {
            let name = report.column(column, &headers[column]);
            report.header(header.line, &name, outcome, detail);
        };
        let targets = targets(&headers, &folded, mapping, &mut header_note)?;
        let mut plan = Self {
            headers,
            client_id: None,
            full_name: None,
            devices: Vec::new(),
            attributes: Vec::new(),
        };
        for (column, target) in targets {
            plan.add(column, target)?;
        }
        plan.number_devices()?;
        plan.attributes
            .sort_by(|one, other| one.name.cmp(&other.name));
        if plan.attributes.len() > ATTRIBUTES_MAX {
            return Err(Error::Header(format!(
                "more than {ATTRIBUTES_MAX} attributes"
            )));
        }
        Ok(plan)
    }

    fn add(&mut self, column: usize, target: Target) -> Result<()> {
        let is_taken = match &target {
            Target::ClientId => self.client_id.replace(column).is_some(),
            Target::FullName(order) => self.full_name.replace((column, *order)).is_some(),
            Target::Device(device_type) => {
                let device_type = Some(*device_type);
                self.devices.push(DeviceColumn {
                    column,
                    number: 0,
                    device_type,
                });
                false
            }
            Target::NumberedDevice(number) => {
                let is_taken = self.devices.iter().any(|device| device.number == *number);
                self.devices.push(DeviceColumn {
                    column,
                    number: *number,
                    device_type: None,
                });
                is_taken
            }
            Target::Attribute(name) => {
                let is_taken = self.attributes.iter().any(|other| other.name == *name);
                let kind = AttributeKind::of(name);
                self.attributes.push(AttributeColumn {
                    column,
                    name: name.clone(),
                    kind,
                });
                is_taken
            }
        };
        if is_taken {
            let name = &self.headers[column];
            return Err(Error::Header(format!(
                "column \"{name}\" means the same as another one"
            )));
        }
        Ok(())
    }

    /// Phone and Email columns take the numbers that no Device1 … Device9 column has, in column order.
    fn number_devices(&mut self) -> Result<()> {
        if self.devices.is_empty() {
            let reason = "no column holds devices (Phone, HomePhone, WorkPhone, CellPhone, Email, Device1 … Device9)";
            return Err(Error::Header(reason.to_owned()));
        }
        if self.devices.len() > DEVICES_MAX {
            return Err(Error::Header(format!(
                "more than {DEVICES_MAX} columns hold devices"
            )));
        }
        let told: Vec<u8> = self.devices.iter().map(|device| device.number).collect();
        let mut free = (1..=DEVICES_MAX as u8).filter(|number| !told.contains(number));
        self.devices.sort_by_key(|device| device.column);
        for device in self.devices.iter_mut().filter(|device| device.number == 0) {
            device.number = free.next().expect("nine numbers for nine columns");
        }
        self.devices.sort_by_key(|device| device.number);
        Ok(())
    }

    /// The name of a column as the report says it.
    pub fn column_name(&self, column: usize) -> &str {
        self.headers.get(column).map_or("", String::as_str)
    }

    /// Makes a contact of a row. Devices that cannot be read are left out, with a line in the report.
    pub fn contact(
        &self,
        row: &Record,
        rules: &Rules,
        report: &mut Report,
    ) -> std::result::Result<Contact, Rejection> {
        let beyond = (self.headers.len()..row.len()).find(|column| !row.field(*column).is_empty());
        if beyond.is_some() {
            let reason = "more fields than the header row has columns".to_owned();
            return Err(Rejection {
                column: None,
                reason,
            });
        }
        let external_id = match self.client_id {
            Some(column) => normalise::client_id(row.field(column), rules)
                .map_err(|problem| reject(row, column, &problem))?,
            None => String::new(),
        };
        let mut attributes = Vec::with_capacity(self.attributes.len() + 2);
        if let Some((column, order)) = self.full_name {
            let (first, last) = order.split(row.field(column));
            for (name, part) in [("firstName", first), ("lastName", last)] {
                let value = normalise::attribute(AttributeKind::Short, part)
                    .map_err(|problem| reject(row, column, &problem))?;
                attributes.extend(value.map(|value| (name.to_owned(), value)));
            }
        }
        for attribute in &self.attributes {
            let value = normalise::attribute(attribute.kind, row.field(attribute.column))
                .map_err(|problem| reject(row, attribute.column, &problem))?;
            attributes.extend(value.map(|value| (attribute.name.clone(), value)));
        }
        let devices = self.devices(row, rules, report)?;
        // Later entries win: a FirstName column that is filled counts more than a part of a full name.
        let attributes = attributes.into_iter().collect();
        Ok(Contact {
            id: ContactId(0),
            container: 0,
            external_id,
            devices,
            attributes,
        })
    }

    fn devices(
        &self,
        row: &Record,
        rules: &Rules,
        report: &mut Report,
    ) -> std::result::Result<Vec<Device>, Rejection> {
        let mut devices: Vec<Device> = Vec::with_capacity(self.devices.len());
        let mut unread: Vec<(usize, Problem)> = Vec::new();
        for column in &self.devices {
            let address = row.field(column.column);
            if address.trim().is_empty() {
                continue;
            }
            match normalise::device(address, column.device_type, column.number, rules) {
                Ok(device) if normalise::holds(&devices, &device) => {
                    unread.push((column.column, Problem::DeviceAgain));
                }
                Ok(device) => devices.push(device),
                Err(problem) => unread.push((column.column, problem)),
            }
        }
        if devices.is_empty() {
            return Err(match unread.first() {
                Some((column, problem)) => reject(row, *column, problem),
                None => Rejection {
                    column: Some(self.devices[0].column),
                    reason: "the row has no device".to_owned(),
                },
            });
        }
        for (column, problem) in unread {
            let reason = reject(row, column, &problem).reason;
            report.left_out(row.line, self.column_name(column), &reason);
        }
        Ok(devices)
    }
}

fn reject(row: &Record, column: usize, problem: &Problem) -> Rejection {
    let reason = format!("{problem}: {}", crate::report::quote(row.field(column)));
    Rejection {
        column: Some(column),
        reason,
    }
}

fn check_headers(headers: &[String], folded: &[String]) -> Result<()> {
    if headers.len() > COLUMNS_MAX {
        return Err(Error::Header(format!("more than {COLUMNS_MAX} columns")));
    }
    for (column, name) in headers.iter().enumerate() {
        if name.chars().count() > HEADER_CHARACTERS_MAX {
            let number = column + 1;
            let reason = format!(
                "the name of column {number} has more than {HEADER_CHARACTERS_MAX} characters"
            );
            return Err(Error::Header(reason));
        }
        if !name.is_empty() && folded[..column].contains(&folded[column]) {
            return Err(Error::Header(format!("column \"{name}\" is there twice")));
        }
    }
    Ok(())
}

/// The meaning of each column that has one.
fn targets(
    headers: &[String],
    folded: &[String],
    mapping: Option<&str>,
    note: &mut dyn FnMut(usize, &str, &str),
) -> Result<Vec<(usize, Target)>> {
    let mut targets = mapped(folded, mapping.unwrap_or_default())?;
    let mapped_count = targets.len();
    for (column, name) in headers.iter().enumerate() {
        let mapped = &targets[..mapped_count];
        if mapped.iter().any(|(mapped, _)| *mapped == column) {
            continue;
        }
        let target = Target::of(name);
        // Device columns without a number stand beside each other; every other meaning is taken once.
        let is_taken = !matches!(target, Target::Device(_))
            && mapped.iter().any(|(_, mapped)| *mapped == target);
        if name.is_empty() {
            note(column, "left out", "the column has no name");
        } else if is_taken {
            note(
                column,
                "left out",
                "the mapping takes another column for it",
            );
        } else {
            if let Target::Attribute(attribute) = &target
                && !attribute.eq_ignore_ascii_case(name)
            {
                note(column, "renamed", attribute);
            }
            targets.push((column, target));
        }
    }
    Ok(targets)
}

/// Reads `Target=Column` pairs. A column may serve several targets.
fn mapped(folded: &[String], mapping: &str) -> Result<Vec<(usize, Target)>> {
    if mapping.len() > MAPPING_BYTES_MAX {
        return Err(Error::Mapping(format!(
            "longer than {MAPPING_BYTES_MAX} bytes"
        )));
    }
    let mut targets: Vec<(usize, Target)> = Vec::new();
    for pair in mapping
        .split(';')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let quoted = crate::report::quote(pair);
        let Some((name, column)) = pair.split_once('=') else {
            return Err(Error::Mapping(format!("{quoted} is no Target=Column pair")));
        };
        let Some(column) = folded.iter().position(|header| *header == fold(column)) else {
            return Err(Error::Mapping(format!("{quoted}: there is no such column")));
        };
        let target = Target::of(name.trim());
        if let Target::Attribute(attribute) = &target
            && normalise::attribute_name(name.trim()).as_ref() != Ok(attribute)
        {
            return Err(Error::Mapping(format!(
                "{quoted}: {}",
                Problem::AttributeName
            )));
        }
        if targets.iter().any(|(_, other)| *other == target) {
            return Err(Error::Mapping(format!(
                "{quoted}: the target is there twice"
            )));
        }
        if targets.len() == COLUMNS_MAX {
            return Err(Error::Mapping(format!("more than {COLUMNS_MAX} pairs")));
        }
        targets.push((column, target));
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Reader;
    use carillon_model::org::Settings;

    /// The contacts of a file (or why a row is none) and its report.
    fn read(
        csv: &str,
        mapping: Option<&str>,
    ) -> Result<(Vec<std::result::Result<Contact, Rejection>>, String)> {
        let rules = Rules::of(&Settings::default())?;
        let mut reader = Reader::new(csv.as_bytes(), None)?;
        let mut row = Record::default();
        let mut report = Report::default();
        reader
            .next(&mut row)?
            .expect("a header row")
            .expect("a good one");
        let plan = Plan::new(&row, mapping, &mut report)?;
        let mut contacts = Vec::new();
        while let Some(answer) = reader.next(&mut row)? {
            answer.expect("a good record");
            contacts.push(plan.contact(&row, &rules, &mut report));
        }
        Ok((contacts, report.take()))
    }

    fn devices(contact: &Contact) -> Vec<(u8, DeviceType, &str)> {
        contact
            .devices
            .iter()
            .map(|device| (device.number, device.device_type, device.address.as_str()))
            .collect()
    }

    fn attributes(contact: &Contact) -> Vec<(&str, &str)> {
        contact
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    #[test]
    fn columns_go_by_their_names() {
        let csv = "clientid,NAMELASTFIRST,WorkPhone,Device1,Email,Other3,Account Number,,Order\n\
                   C-1,\"Lee, Ann\",(202) 555-0113,+442079460113,Ann@EXAMPLE.org,x, 7 ,z,device3 Device1";
        let (contacts, report) = read(csv, None).expect("a good header");
        let contact = contacts[0].as_ref().expect("a good row");
        assert_eq!(contact.external_id, "C-1");
        assert_eq!(
            devices(contact),
            [
                (1, DeviceType::Mobile, "+442079460113"),
                (2, DeviceType::Work, "+12025550113"),
                (3, DeviceType::Email, "Ann@example.org"),
            ]
        );
        assert_eq!(
            attributes(contact),
            [
                ("Account_Number", " 7 "),
                ("firstName", "Ann"),
                ("lastName", "Lee"),
                ("order", "Device3 Device1"),
                ("other3", "x"),
            ]
        );
        assert_eq!(
            report,
            "1,Account Number,renamed,Account_Number\r\n1,column 8,left out,the column has no name\r\n"
        );
    }

    #[test]
    fn a_mapping_overrules_names() {
        let csv = "Phone,mobile no,id\n1,+442079460113,7";
        let mapping = "ClientID=ID; device2 = Mobile No;ref=id";
        let (contacts, report) = read(csv, Some(mapping)).expect("good");
        let contact = contacts[0]
            .as_ref()
            .expect("the phone is left out, the other device stays");
        assert_eq!(contact.external_id, "7");
        assert_eq!(devices(contact), [(2, DeviceType::Mobile, "+442079460113")]);
        assert_eq!(attributes(contact), [("ref", "7")]);
        assert_eq!(report, "2,Phone,left out,not a phone number: 1\r\n");
    }

    #[test]
    fn explicit_names_win_over_parts() {
        let (contacts, _) = read(
            "FirstName,NameFirstLast,Phone\nBo,Ann Lee,+442079460113",
            None,
        )
        .expect("good");
        assert_eq!(
            attributes(contacts[0].as_ref().expect("good")),
            [("firstName", "Bo"), ("lastName", "Lee")]
        );
    }

    #[test]
    fn rows_are_rejected_with_their_column() {
        let csv = format!(
            "Phone,FirstName,TimeZone\n12,A,\n,B,\n+442079460113,{},\n+442079460113,,Mars\n+442079460113,,,x",
            "x".repeat(65)
        );
        let (contacts, _) = read(&csv, None).expect("a good header");
        let columns: Vec<_> = contacts
            .iter()
            .map(|row| row.as_ref().expect_err("rejected").column)
            .collect();
        assert_eq!(columns, [Some(0), Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn unusable_headers_are_refused() {
        for (csv, mapping) in [
            ("ClientID,FirstName", None),
            ("Phone,phone", None),
            ("a b,a_b,Phone", None),
            (
                "Device1,Device2,Device3,Device4,Device5,Device6,Device7,Device8,Device9,Email",
                None,
            ),
            ("Phone", Some("ClientID")),
            ("Phone", Some("ClientID=Nowhere")),
            ("Phone,a", Some("Device1=Phone;Device1=a")),
            ("Phone,a", Some("b c=a")),
        ] {
            assert!(read(csv, mapping).is_err(), "{csv} {mapping:?}");
        }
    }
}
