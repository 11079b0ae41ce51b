//! An engine that is stepped by hand, with one carrier whose every word is written in the test.

use carillon_admission::device;
use carillon_channel::{Acknowledge, Answer, Capabilities, Event, Order, Report};
use carillon_engine::invariant::check_invariants;
use carillon_engine::{Carrier, Chores, Decisions, Engine, Inputs};
use carillon_model::attempt::Attempt;
use carillon_model::contact::{Contact, Device};
use carillon_model::counter::{Counters, Subject};
use carillon_model::moment::{HOUR, MINUTE};
use carillon_model::pass::Pass;
use carillon_model::run::{Progress, Request, Run};
use carillon_model::{
    AttemptId, AttemptState, ChannelType, ContactId, DeviceType, LineType, Moment, PacingType,
    PassId, SubCampaignId,
};
use carillon_sim::world::{self, Installation};
use carillon_store::attempt::{AttemptQuery, AttemptsOf};
use carillon_store::{Error, Snapshot, Store, Urgency};

/// Wednesday, 2026-06-17, 14:00 in New York.
pub const NOON: Moment = Moment(1_781_719_200_000);

pub struct Bench {
    pub store: Store,
    pub installation: Installation,
    pub engine: Option<Engine>,
    pub chores: Chores,
    pub now: Moment,
    pub receipts: bool,
    pub carrier_name: &'static str,
    pub room: usize,
}

impl Bench {
    pub fn new() -> Self {
        let store = Store::memory();
        let installation = world::install(&store, NOON).expect("the memory store takes it");
        let mut bench = Self {
            store,
            installation,
            engine: None,
            chores: Chores::default(),
            now: NOON,
            receipts: true,
            carrier_name: "north",
            room: 1_000,
        };
        bench.restart();
        bench
    }

    /// Another process takes over.
    pub fn restart(&mut self) {
        self.engine = Some(Engine::start(vec![self.carrier()], 1));
        self.chores = Chores::default();
    }

    /// The same process loses its memory: orders that are out will be answered.
    pub fn restart_keeping_orders(&mut self) {
        self.engine = Some(Engine::resume(vec![self.carrier()], 2));
    }

    fn carrier(&self) -> Carrier {
        Carrier {
            name: self.carrier_name.into(),
            emulated: false,
            capabilities: Capabilities {
                channel: ChannelType::Text,
                rate_per_second: None,
                window: 1_000,
                receipts: self.receipts,
                receipt_wait_ms: 10 * MINUTE,
                idempotent: false,
                query: true,
            },
        }
    }

    /// A run over so many people in New York, loaded.
    pub fn run(&mut self, people: usize, passes: Vec<Pass>) -> SubCampaignId {
        let people = (0..people).map(|number| new_yorker(number, 1)).collect();
        self.run_over(people, passes)
    }

    pub fn run_over(&mut self, people: Vec<Contact>, passes: Vec<Pass>) -> SubCampaignId {
        let run = world::sub_campaign(&self.store, self.installation, people, passes, self.now)
            .expect("stored");
        self.do_chores();
        run
    }

    pub fn do_chores(&mut self) {
        loop {
            let (mut chores, now) = (std::mem::take(&mut self.chores), self.now);
            let (chores, piece) = self
                .store
                .write_now(Urgency::Bulk, move |tx| {
                    let piece = chores.work(tx, now)?;
                    Ok::<_, Error>((chores, piece))
                })
                .expect("chores are done");
            self.chores = chores;
            if !piece.more {
                return;
            }
        }
    }

    pub fn step(&mut self, events: Vec<Event>) -> Decisions {
        let mut engine = self.engine.take().expect("given back after each step");
        let (now, room) = (self.now, self.room);
        let (engine, decisions) = self
            .store
            .write_now(Urgency::People, move |tx| {
                let decisions = engine.step(
                    tx,
                    now,
                    Inputs {
                        events,
                        room: vec![room],
                    },
                )?;
                Ok::<_, Error>((engine, decisions))
            })
            .expect("the step is committed");
        self.engine = Some(engine);
        decisions
    }

    /// Steps with nothing coming in; answers the orders. A pass gives its first permit at once and the others a little
    /// later, so it steps twice.
    pub fn dial(&mut self) -> Vec<Order> {
        let mut orders = self.step(Vec::new()).orders.remove(0);
        let first = orders.len().min(self.room);
        self.room -= first;
        self.wait(100);
        orders.extend(self.step(Vec::new()).orders.remove(0));
        self.room += first;
        orders
    }

    pub fn wait(&mut self, milliseconds: i64) {
        self.now = self.now.plus(milliseconds);
    }

    pub fn answer(&self, order: &Order, answer: Answer) -> Event {
        Event::Answer {
            attempt: order.attempt,
            answer,
            at: self.now,
        }
    }

    pub fn accepted(&self, order: &Order, ids: &[&str]) -> Event {
        let message_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        self.answer(order, Answer::Accepted { message_ids })
    }

    pub fn report(&self, message_id: &str, report: Report) -> Event {
        Event::Report {
            carrier: "north".into(),
            message_id: message_id.to_owned(),
            reference: None,
            report,
            at: self.now,
            acknowledge: Acknowledge::none(),
        }
    }

    pub fn inbound(&self, from: &str, body: &str) -> Event {
        Event::Inbound {
            carrier: "north".into(),
            from: from.to_owned(),
            to: world::SHORT_CODE.to_owned(),
            body: body.to_owned(),
            at: self.now,
            acknowledge: Acknowledge::none(),
        }
    }

    pub fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn Snapshot) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.store.read_now(look).expect("readable")
    }

    pub fn attempt(&self, id: AttemptId) -> Attempt {
        self.read(move |snapshot| snapshot.attempts(&[id]))
            .remove(0)
            .expect("in the ledger")
    }

    pub fn attempts(&self, run: SubCampaignId) -> Vec<Attempt> {
        self.read(move |snapshot| {
            snapshot.attempts_of(&AttemptQuery {
                of: AttemptsOf::Run(run),
                from: Moment(0),
                to: Moment::NEVER,
                after: AttemptId(0),
                limit: 10_000,
            })
        })
    }

    pub fn open(&self, run: SubCampaignId) -> usize {
        self.attempts(run)
            .iter()
            .filter(|attempt| attempt.state() != AttemptState::Done)
            .count()
    }

    pub fn row(&self, run: SubCampaignId) -> Run {
        self.read(move |snapshot| snapshot.run(run)).expect("there")
    }

    pub fn counters(&self, run: SubCampaignId) -> Counters {
        self.read(move |snapshot| snapshot.counters(&[Subject::whole(run)]))
            .remove(0)
    }

    pub fn progress(&self, run: SubCampaignId, contact: ContactId) -> Option<Progress> {
        self.read(move |snapshot| snapshot.progress(run, &[contact]))
            .remove(0)
    }

    pub fn request(&mut self, run: SubCampaignId, request: Request) {
        let now = self.now;
        self.store
            .write_now(Urgency::People, move |tx| {
                let mut row = tx.run(run)?.expect("there");
                row.request(request, now).expect("legal");
                tx.put_run(&row)
            })
            .expect("written");
    }

    #[track_caller]
    pub fn assert_sound(&self, run: SubCampaignId) {
        let wrong = self.read(move |snapshot| check_invariants(snapshot, run));
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// A pass at any hour the Account allows, as fast as Fixed can.
pub fn fast(id: i64) -> Pass {
    let mut pass = Pass::new(PassId(id), format!("Pass {id}"), ChannelType::Text);
    pass.pacing = Some(PacingType::Fixed);
    pass.contacts_per_minute = Some(600_000.0);
    pass
}

pub fn new_yorker(number: usize, devices: u8) -> Contact {
    let phone = |device: u8| Device {
        address: format!("+1212555{:04}", number * 10 + usize::from(device)),
        device_type: DeviceType::Mobile,
        number: device,
        time_zone: None,
        line_type: LineType::Unknown,
    };
    let devices: Vec<Device> = (1..=devices).map(phone).collect();
    assert!(devices.iter().all(|one| device::bit(one.number) != 0));
    Contact {
        external_id: format!("C-{number}"),
        devices,
        attributes: [("firstName".to_owned(), format!("P{number}"))].into(),
        ..Contact::default()
    }
}

/// The evening of the same day: no window is open.
pub fn night(bench: &mut Bench) {
    bench.now = NOON.plus(8 * HOUR);
}
