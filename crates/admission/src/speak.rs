//! What a Script says to a contact: the values of `scripts.md` 2 as the engine and the doors both give them, so that a
//! contact that passes at load can be told its text at dispatch.

use carillon_model::campaign::Campaign;
use carillon_model::contact::{Contact, Device};
use carillon_model::org::Resolved;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::zone::Zone;
use carillon_model::{AttemptId, ChannelType, Moment, Reason, ScriptId};
use carillon_script::template::RenderError;
use carillon_script::{Conversation, Field, Fields, Say, Script};
use carillon_store::{Result, Snapshot};

/// A Script, read once for each run.
pub struct Said {
    script: Script,
}

/// Why a contact cannot be told a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field without default is missing.
    #[error("the field {0} is missing")]
    MissingField(String),
    /// The text is too long, or says nothing.
    #[error("{0}")]
    Unfit(String),
}

impl From<RenderError> for Refusal {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::MissingField(field) => Self::MissingField(field),
            other => Self::Unfit(other.to_string()),
        }
    }
}

/// The values of one contact at one moment.
pub struct Speaker<'a> {
    /// The Account.
    pub account: &'a Resolved,
    /// The Campaign.
    pub campaign: &'a Campaign,
    /// The SubCampaign.
    pub sub_campaign: &'a SubCampaign,
    /// The contact.
    pub contact: &'a Contact,
    /// By which device; none = not chosen yet.
    pub device: Option<&'a Device>,
    /// By which channel.
    pub channel: ChannelType,
    /// The attempt; 0 = none yet.
    pub attempt: AttemptId,
    /// Its number.
    pub number: u16,
    /// The contact's zone; none = the Account's.
    pub zone: Option<Zone>,
    /// When.
    pub now: Moment,
}

impl Said {
    /// Reads a Script; none when it is not there. One that was accepted can be read; should it not be, that is told once
    /// and it counts as not there.
    pub fn load<S: Snapshot + ?Sized>(snapshot: &S, id: ScriptId) -> Result<Option<Self>> {
        let contents = snapshot.script_contents(id)?;
        if contents.is_empty() {
            return Ok(None);
        }
        match Script::parse(&contents) {
            Ok(script) => Ok(Some(Self { script })),
            Err(error) => {
                tracing::error!(script = id.0, %error, "a stored Script cannot be read");
                Ok(None)
            }
        }
    }

    /// The text a contact is told first, and how many parts it may take.
    pub fn text(&self, speaker: &Speaker<'_>) -> std::result::Result<(String, u8), Refusal> {
        let Some(dialogue) = self.script.text() else {
            return Err(Refusal::Unfit("the Script is not a text".to_owned()));
        };
        let (_, says) = Conversation::start(dialogue, speaker, speaker.now)?;
        let mut texts = Vec::with_capacity(1);
        for say in says {
            if let Say::Message { text, .. } = say {
                texts.push(text);
            }
        }
        if texts.is_empty() {
            return Err(Refusal::Unfit(
                "the Script says nothing at first".to_owned(),
            ));
        }
        let parts_max = dialogue.parts_max.saturating_mul(texts.len());
        Ok((texts.join("\n"), u8::try_from(parts_max).unwrap_or(u8::MAX)))
    }

    /// Why a contact cannot be told everything the Script may say: asked at load.
    pub fn objection(&self, speaker: &Speaker<'_>) -> Option<Reason> {
        let dialogue = self.script.text()?;
        dialogue.check(speaker).err().map(|_| Reason::MissingField)
    }
}

impl Fields for Speaker<'_> {
    fn get(&self, path: &str) -> Option<Field<'_>> {
        let (subject, name) = path.split_once('.').unwrap_or((path, ""));
        match subject {
            "contact" => self.contact_field(name),
            "device" => self.device_field(name),
            "account" => match name {
                "name" => Some(self.account.org.name.as_str().into()),
                _ => attribute(&self.account.org.preferences, name)
                    .or_else(|| attribute(&self.account.org.base.attributes, name)),
            },
            "campaign" => named(
                &self.campaign.base.external_id,
                &self.campaign.base.attributes,
                name,
            ),
            "subCampaign" => named(
                &self.sub_campaign.base.external_id,
                &self.sub_campaign.base.attributes,
                name,
            ),
            "attempt" => match name {
                "id" => Some(self.attempt.0.to_string().into()),
                "number" => Some(Field::Integer(i64::from(self.number))),
                "channel" => Some(self.channel.text().into()),
                _ => None,
            },
            "now" => Some(self.civil_now().into()),
            _ => None,
        }
    }
}

impl Speaker<'_> {
    fn contact_field(&self, name: &str) -> Option<Field<'_>> {
        match name {
            "clientId" => Some(self.contact.external_id.as_str().into()),
            _ => attribute(&self.contact.attributes, name),
        }
    }

    fn device_field(&self, name: &str) -> Option<Field<'_>> {
        let device = self.device.or_else(|| self.contact.devices.first())?;
        match name {
            "" | "address" | "externalId" => Some(device.address.as_str().into()),
            "type" => Some(device.device_type.text().into()),
            "name" => Some(format!("Device{}", device.number).into()),
            _ => None,
        }
    }

    fn civil_now(&self) -> String {
        let zone = self
            .zone
            .or_else(|| Zone::named(self.account.settings.zone_name()))
            .unwrap_or_else(Zone::utc);
        let civil = zone.time_zone().to_datetime(self.now.timestamp());
        civil.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }
}

fn named<'a>(
    external_id: &'a str,
    attributes: &'a carillon_model::entity::Attributes,
    name: &str,
) -> Option<Field<'a>> {
    match name {
        "" | "name" | "externalId" => Some(external_id.into()),
        _ => attribute(attributes, name),
    }
}

fn attribute<'a>(
    attributes: &'a carillon_model::entity::Attributes,
    name: &str,
) -> Option<Field<'a>> {
    attributes
        .get(name)
        .filter(|value| !value.is_empty())
        .map(|value| value.as_str().into())
}
