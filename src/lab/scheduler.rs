//! Runs the boot tests: as many machines at once as this computer has cores and memory for, and never two with one MAC
//! address.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::accelerator::Accelerator;
use super::boot_test::{BootTest, Scenario};
use super::checks::check_machine;
use super::command::make_dir;
use super::config::{Event, LabConfig};
use super::machine::{self, QEMU_LOG, SERIAL_LOG};
use super::network::{LabNetwork, create_tap};
use super::observer::{Observer, TIMER_PANIC};
use super::report::MachineReport;
use super::servers::LeaseLog;
use super::web_root::LabWebRoot;
use crate::artifact::ArtifactSet;
use crate::image::{BundleManifest, INITRD};
use crate::model::{MacAddr, Node};

/// How often the logs are read.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// How many times a machine is powered on at most, when its emulated timer fails.
const ATTEMPTS: u32 = 3;

/// The part of the free memory that machines may take, in percent.
const MEMORY_PERCENT: u64 = 70;

/// Everything that the machines run in.
pub(super) struct Scheduler<'a> {
    pub(super) config: &'a LabConfig,
    pub(super) artifacts: &'a ArtifactSet,
    /// The manifests of the published bundles, by image.
    pub(super) manifests: BTreeMap<String, BundleManifest>,
    pub(super) networks: &'a [LabNetwork<'a>],
    pub(super) web_root: &'a LabWebRoot,
    pub(super) accelerator: Accelerator,
    pub(super) lease_log: LeaseLog,
    pub(super) tftp_log: PathBuf,
    pub(super) on_event: &'a (dyn Fn(Event) + Sync),
}

/// The numbers of the tests that wait, and the MAC addresses of the machines that run.
#[derive(Default)]
struct Queue {
    waiting: Vec<usize>,
    running: BTreeSet<MacAddr>,
}

impl Scheduler<'_> {
    /// Runs all tests, and returns a report about each machine.
    ///
    /// # Errors
    /// When the lab itself fails. A machine that does not do what it must do is no error.
    pub(super) fn run(&self, tests: &[BootTest<'_>]) -> Result<Vec<MachineReport>> {
        for (machine, test) in tests.iter().enumerate() {
            (self.on_event)(Event::MachinePlanned {
                machine,
                name: test.name.clone(),
                scenario: test.scenario,
                method: test.method,
                steps: test.steps.len(),
            });
        }
        // The published initrd is changed for the tampered tests, so no other machine may boot then.
        let (tampered, others): (Vec<usize>, Vec<usize>) =
            (0..tests.len()).partition(|number| tests[*number].scenario == Scenario::Tampered);
        let mut reports = self.run_parallel(tests, others)?;
        for number in tampered {
            let image = tests[number].node.map(Node::image).unwrap_or_default();
            let manifest = self.manifests.get(&image).context("there is no bundle to change")?;
            self.web_root.tamper(&image, manifest.id)?;
            reports.extend(self.run_parallel(tests, vec![number])?);
        }
        Ok(reports.into_values().collect())
    }

    /// Runs the tests with the numbers `waiting`, several at once.
    fn run_parallel(
        &self,
        tests: &[BootTest<'_>],
        mut waiting: Vec<usize>,
    ) -> Result<BTreeMap<usize, MachineReport>> {
        waiting.reverse();
        let workers = self.count_workers(tests).min(waiting.len());
        let (queue, changed) = (Mutex::new(Queue { waiting, ..Queue::default() }), Condvar::new());
        let reports = Mutex::new(BTreeMap::new());
        let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || -> Result<()> {
            loop {
                let mut guard = lock();
                let number = loop {
                    let is_free = |number: &usize| !guard.running.contains(&tests[*number].mac);
                    match guard.waiting.iter().rposition(is_free) {
                        Some(at) => break guard.waiting.remove(at),
                        None if guard.waiting.is_empty() => return Ok(()),
                        None => guard = changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
                    }
                };
                guard.running.insert(tests[number].mac);
                drop(guard);
                let report = self.run_test(number, &tests[number]);
                lock().running.remove(&tests[number].mac);
                changed.notify_all();
                reports.lock().unwrap_or_else(PoisonError::into_inner).insert(number, report?);
            }
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked"))))
        })?;
        Ok(reports.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Computes how many machines may run at once, from the number of cores and the free memory.
    fn count_workers(&self, tests: &[BootTest<'_>]) -> usize {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
        let kilobytes: u64 =
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(u64::MAX / 100);
        let largest = tests.iter().map(|test| self.memory_megabytes(test)).max().unwrap_or(1);
        let fitting = kilobytes / 1024 * MEMORY_PERCENT / 100 / largest;
        cores.min(usize::try_from(fitting).unwrap_or(usize::MAX)).max(1)
    }

    fn memory_megabytes(&self, test: &BootTest<'_>) -> u64 {
        let manifest = test.node.and_then(|node| self.manifests.get(&node.image()));
        let initrd = manifest.and_then(|manifest| manifest.files.get(INITRD));
        machine::memory_megabytes(test.method, initrd.map_or(0, |file| file.bytes))
    }

    /// Runs one test from power-on to its end.
    fn run_test(&self, number: usize, test: &BootTest<'_>) -> Result<MachineReport> {
        let tap = format!("tap{number}");
        let network = self.networks.iter().find(|network| network.name == test.network);
        let network = network.with_context(|| format!("the lab has no network {}", test.network))?;
        create_tap(&self.config.tools, &tap, network)?;
        match test.node {
            Some(node) if test.scenario.is_armed() => self.web_root.arm(node, self.artifacts)?,
            Some(node) => self.web_root.disarm(node)?,
            None => {}
        }
        let mut attempts = 1;
        let (observer, early_end) = loop {
            let (observer, early_end) = self.boot_once(number, test, &tap, attempts)?;
            if attempts == ATTEMPTS || !observer.serial.contains(TIMER_PANIC) {
                break (observer, early_end);
            }
            attempts += 1;
        };
        let checks = check_machine(self.artifacts, &self.manifests, test, &observer)?;
        let mut report = MachineReport {
            node: test.name.clone(),
            scenario: test.scenario,
            method: test.method,
            network: test.network.to_string(),
            address: observer.address.map(|address| address.to_string()),
            steps: observer.steps.iter().map(|(step, seconds)| (*step, *seconds)).collect(),
            missing: observer.missing_steps().collect(),
            checks: checks.count,
            faults: early_end.into_iter().chain(checks.faults).collect(),
            attempts,
            serial: None,
        };
        report.serial = (!report.is_good()).then_some(observer.serial);
        (self.on_event)(Event::MachineDone { machine: number, is_good: report.is_good() });
        Ok(report)
    }

    /// Powers a machine on once, and returns what was observed, and why the machine was switched off before it had made
    /// all steps.
    fn boot_once<'t>(
        &self,
        number: usize,
        test: &'t BootTest<'t>,
        tap: &str,
        attempt: u32,
    ) -> Result<(Observer<'t>, Option<String>)> {
        let name = test.name.replace(' ', "-");
        let dir = make_dir(&format!("machines/{name}-{}-{attempt}", test.scenario.as_str()))?;
        let mut observer = Observer::new(test, &self.lease_log, &self.tftp_log, &dir.join(SERIAL_LOG));
        let megabytes = self.memory_megabytes(test);
        let mut qemu = machine::power_on(&self.config.tools, test, self.accelerator, megabytes, &dir, tap)?;
        (self.on_event)(Event::MachineStarted { machine: number });
        let start = Instant::now();
        let timeout = Duration::from_secs(self.config.timeout.into());
        let early_end = loop {
            thread::sleep(POLL_INTERVAL);
            let status = qemu.try_wait().context("could not wait for QEMU")?;
            let elapsed = start.elapsed();
            let seconds = (elapsed.as_secs_f64() * 10.0).round() / 10.0;
            for step in observer.poll(seconds) {
                (self.on_event)(Event::StepMade { machine: number, step, seconds });
            }
            if observer.missing_steps().next().is_none() {
                break None;
            }
            if let Some(why) = observer.find_dead_end() {
                break Some(why);
            }
            if let Some(status) = status {
                let log = fs::read_to_string(dir.join(QEMU_LOG)).unwrap_or_default();
                break Some(format!("QEMU ended before the machine was done: {status} {}", log.trim()));
            }
            if elapsed > timeout {
                break Some(format!("it took longer than {} s (--timeout)", self.config.timeout));
            }
        };
        let _ = qemu.kill();
        qemu.wait().context("could not wait for QEMU")?;
        Ok((observer, early_end))
    }
}
