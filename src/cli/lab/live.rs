//! The progress of a running lab: on a terminal a bar for each machine, elsewhere a line for each step.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::printer::Printer;
use crate::lab::Event;

/// The machine, the steps done and their number, the last step, and the time since power-on.
const LINE: &str = "{prefix:<28} {bar:12} {pos}/{len} {msg} {elapsed}";

/// The display of a running lab. When it is dropped, its bars are gone from the terminal.
pub(super) struct Live<'a> {
    printer: &'a Printer,
    /// The bars; none without a terminal.
    bars: Option<MultiProgress>,
    /// Name and bar of each machine, by the machine's number.
    machines: BTreeMap<usize, (String, ProgressBar)>,
}

impl<'a> Live<'a> {
    pub(super) fn new(printer: &'a Printer) -> Self {
        let bars = (stderr().is_terminal() && !printer.quiet)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5)));
        Self { printer, bars, machines: BTreeMap::new() }
    }

    /// Shows `event`.
    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Phase(what) => self.say(what),
            Event::MachinePlanned { machine, name, scenario, method, steps } => {
                let prefix = format!("{name} {} ({})", method.as_str(), scenario.as_str());
                let bar = ProgressBar::hidden().with_prefix(prefix.clone());
                bar.set_length(*steps as u64);
                if let Ok(style) = ProgressStyle::with_template(LINE) {
                    bar.set_style(style);
                }
                let bar = self.bars.as_ref().map_or_else(|| bar.clone(), |bars| bars.add(bar.clone()));
                bar.set_message("waiting");
                self.machines.insert(*machine, (prefix, bar));
            }
            Event::MachineStarted { machine } => {
                let Some((_, bar)) = self.machines.get(machine) else { return };
                bar.reset_elapsed();
                bar.set_message("powered on");
                bar.enable_steady_tick(Duration::from_millis(500));
            }
            Event::StepMade { machine, step, seconds } => {
                let Some((prefix, bar)) = self.machines.get(machine) else { return };
                bar.inc(1);
                bar.set_message(step.as_str());
                if self.bars.is_none() {
                    self.say(&format!("{prefix}: {} after {seconds:.1} s", step.as_str()));
                }
            }
            Event::MachineDone { machine, is_good } => {
                let Some((prefix, bar)) = self.machines.get(machine) else { return };
                bar.finish_with_message(if *is_good { "ok" } else { "FAILED" });
                if self.bars.is_none() {
                    self.say(&format!("{prefix}: {}", if *is_good { "ok" } else { "FAILED" }));
                }
            }
            Event::Report(_) | Event::Failed(_) => {}
        }
    }

    fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| self.printer.say(line)),
            None => self.printer.say(line),
        }
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }
}
