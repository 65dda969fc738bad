//! As many machines at once as this one carries, none of them twice at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::follow::{FLAKE, Logs, Watch};
use super::judge::judge;
use super::machine::{self, SERIAL};
use super::report::Row;
use super::trial::{Kind, Step, Trial};
use super::web::Web;
use super::wires::{Net, Wire};
use super::{Acceleration, Event, Order, space};
use crate::artifact::ArtifactSet;
use crate::image::{BundleManifest, INITRD};
use crate::model::{Cluster, MacAddr};

/// How often logs are looked at.
const TURN: Duration = Duration::from_millis(100);

/// How often a machine is powered on again whose emulated timer has failed.
const ATTEMPTS: u32 = 3;

/// The part of the free memory that machines may have, in percent.
const SHARE: u64 = 70;

/// Everything that machines run in.
pub(super) struct Lab<'a> {
    pub(super) order: &'a Order,
    pub(super) cluster: &'a Cluster,
    pub(super) artifacts: &'a ArtifactSet,
    pub(super) manifests: BTreeMap<String, BundleManifest>,
    pub(super) wires: &'a [Wire<'a>],
    pub(super) web: &'a Web,
    pub(super) acceleration: Acceleration,
    pub(super) dhcp_log: PathBuf,
    pub(super) lease_message: &'static str,
    pub(super) tftp_log: PathBuf,
    pub(super) tell: &'a (dyn Fn(Event) + Sync),
}

/// What is still to be done.
#[derive(Default)]
struct Queue {
    waiting: Vec<usize>,
    running: BTreeSet<MacAddr>,
}

impl Lab<'_> {
    /// Tries everything.
    ///
    /// # Errors
    /// When the lab itself fails; a machine that does not what it should is no error.
    pub(super) fn run(&self, trials: &[Trial<'_>]) -> Result<Vec<Row>> {
        for (number, trial) in trials.iter().enumerate() {
            let (name, kind, firmware, steps) =
                (trial.name.clone(), trial.kind, trial.boot, trial.steps.len());
            (self.tell)(Event::Planned { number, name, kind, firmware, steps });
        }
        // What is published is changed for the last of them only, and nobody else boots then.
        let (last, first): (Vec<usize>, Vec<usize>) =
            (0..trials.len()).partition(|number| trials[*number].kind == Kind::Tampered);
        let mut rows = self.together(trials, first)?;
        for number in last {
            let trial = &trials[number];
            let profile = trial.node.map_or("", |node| node.base.as_str());
            let manifest = self.manifests.get(profile).context("there is no bundle to change")?;
            self.web.tamper(profile, manifest.id)?;
            rows.extend(self.together(trials, vec![number])?);
        }
        Ok(rows.into_values().collect())
    }

    fn together(&self, trials: &[Trial<'_>], mut waiting: Vec<usize>) -> Result<BTreeMap<usize, Row>> {
        waiting.reverse();
        let hands = self.hands(trials).min(waiting.len());
        let (queue, changed) = (Mutex::new(Queue { waiting, ..Queue::default() }), Condvar::new());
        let rows = Mutex::new(BTreeMap::new());
        let work = || -> Result<()> {
            loop {
                let mut own = queue.lock().unwrap_or_else(PoisonError::into_inner);
                let number = loop {
                    let free =
                        own.waiting.iter().rposition(|number| !own.running.contains(&trials[*number].mac));
                    match free {
                        Some(at) => break own.waiting.remove(at),
                        None if own.waiting.is_empty() => return Ok(()),
                        None => own = changed.wait(own).unwrap_or_else(PoisonError::into_inner),
                    }
                };
                own.running.insert(trials[number].mac);
                drop(own);
                let row = self.attend(number, &trials[number]);
                queue.lock().unwrap_or_else(PoisonError::into_inner).running.remove(&trials[number].mac);
                changed.notify_all();
                rows.lock().unwrap_or_else(PoisonError::into_inner).insert(number, row?);
            }
        };
        thread::scope(|scope| {
            let hands: Vec<_> = (0..hands).map(|_| scope.spawn(work)).collect();
            hands
                .into_iter()
                .try_for_each(|hand| hand.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread died"))))
        })?;
        Ok(rows.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many machines run at once: by processors, and by what memory is free.
    fn hands(&self, trials: &[Trial<'_>]) -> usize {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
        let kilobytes: u64 =
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(u64::MAX / 100);
        let largest = trials.iter().map(|trial| self.megabytes(trial)).max().unwrap_or(1);
        let fitting = kilobytes / 1024 * SHARE / 100 / largest;
        cores.min(usize::try_from(fitting).unwrap_or(usize::MAX)).max(1)
    }

    fn megabytes(&self, trial: &Trial<'_>) -> u64 {
        let manifest = trial.node.and_then(|node| self.manifests.get(node.base.as_str()));
        let initrd = manifest.and_then(|own| own.files.get(INITRD)).map_or(0, |own| own.bytes);
        machine::megabytes(trial.boot, initrd)
    }

    /// Follows one machine from power-on to its end.
    fn attend(&self, number: usize, trial: &Trial<'_>) -> Result<Row> {
        let tap = format!("tap{number}");
        let wire =
            self.wires.iter().find(|wire| wire.number == trial.wire).context("there is no such network")?;
        Net::new(&self.order.tools).tap(&tap, wire)?;
        let arms = matches!(trial.kind, Kind::Armed | Kind::Tampered);
        if let Some(node) = trial.node {
            if arms { self.web.arm(node)? } else { self.web.disarm(node)? }
        }
        let mut attempts = 1;
        let (watch, end) = loop {
            let (watch, end) = self.attempt(number, trial, &tap, attempts)?;
            if attempts == ATTEMPTS || !watch.serial.contains(FLAKE) {
                break (watch, end);
            }
            attempts += 1;
        };
        let verdict = judge(self.cluster, self.artifacts, &self.manifests, trial, &watch)?;
        let missing: Vec<Step> =
            trial.steps.iter().copied().filter(|own| !watch.steps.contains_key(own)).collect();
        let mut row = Row {
            node: trial.name.clone(),
            kind: trial.kind,
            firmware: trial.boot,
            network: wire.name.to_string(),
            address: watch.address.map(|own| own.to_string()),
            steps: watch.steps.iter().map(|(step, seconds)| (*step, *seconds)).collect(),
            missing,
            checks: verdict.checks,
            faults: end.into_iter().chain(verdict.faults).collect(),
            attempts,
            serial: None,
        };
        row.serial = (!row.is_good()).then_some(watch.serial);
        (self.tell)(Event::Done { number, good: row.is_good() });
        Ok(row)
    }

    /// Powers a machine on once: what was seen, and why it came no further.
    fn attempt<'t>(
        &self,
        number: usize,
        trial: &'t Trial<'t>,
        tap: &str,
        attempt: u32,
    ) -> Result<(Watch<'t>, Option<String>)> {
        let dir = space::dir(&format!(
            "machines/{}-{}-{attempt}",
            trial.name.replace(' ', "-"),
            trial.kind.as_str()
        ))?;
        let logs = Logs { dhcp: &self.dhcp_log, lease_message: self.lease_message, tftp: &self.tftp_log };
        let mut watch = Watch::new(trial, logs, &dir.join(SERIAL));
        let mut qemu =
            machine::power_on(&self.order.tools, trial, self.acceleration, self.megabytes(trial), &dir, tap)?;
        (self.tell)(Event::On { number });
        let start = Instant::now();
        let patience = Duration::from_secs(self.order.patience.into());
        let end = loop {
            thread::sleep(TURN);
            let ended = qemu.try_wait().context("QEMU is lost")?;
            let now = start.elapsed();
            let seconds = (now.as_secs_f64() * 10.0).round() / 10.0;
            for step in watch.look(seconds) {
                (self.tell)(Event::Made { number, step, seconds });
            }
            if watch.is_through() {
                break None;
            }
            if let Some(why) = watch.dead_end() {
                break Some(why);
            }
            if let Some(status) = ended {
                let said = fs::read_to_string(dir.join(machine::SAID)).unwrap_or_default();
                break Some(format!("it was switched off before it was done: {status} {}", said.trim()));
            }
            if now > patience {
                break Some(format!("it took longer than {} s (--timeout)", self.order.patience));
            }
        };
        let _ = qemu.kill();
        qemu.wait().context("QEMU is lost")?;
        Ok((watch, end))
    }
}
