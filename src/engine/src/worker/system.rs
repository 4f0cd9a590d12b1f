//! How much of the machine the training uses: processor, memory, GPU. Measured between steps, without waiting.

use std::time::{Duration, Instant};

use nvml_wrapper::Nvml;
use pellucid_protocol::Metrics;
use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Time between two measurements.
const PERIOD: Duration = Duration::from_secs(2);

/// Bytes of a megabyte.
const MEGABYTE: f64 = 1e6;

/// A meter of this process and of the machine that it runs on.
#[derive(Debug)]
pub struct SystemMeter {
    /// `None` where the system does not say.
    system: Option<System>,
    pid: Pid,
    /// NVIDIA's library, loaded when there is one, and which GPU trains.
    gpu: Option<(Nvml, u32)>,
    last: Option<Instant>,
}

impl SystemMeter {
    /// A meter; `device` is what trains, `cuda:N` for the GPU of that number.
    #[must_use]
    pub fn new(device: tch::Device) -> Self {
        let number = if let tch::Device::Cuda(number) = device { u32::try_from(number).ok() } else { None };
        let gpu = number.and_then(|number| Some((Nvml::init().ok()?, number)));
        Self { system: System::new().ok(), pid: Pid::from_u32(std::process::id()), gpu, last: None }
    }

    /// The use now, as shares over the time since the last measurement; `None` if that was only just now.
    pub fn measure(&mut self) -> Option<Metrics> {
        if self.last.is_some_and(|last| last.elapsed() < PERIOD) {
            return None;
        }
        let first = self.last.replace(Instant::now()).is_none();
        if let Some(system) = &mut self.system {
            let which = ProcessRefreshKind::nothing().with_cpu().with_memory();
            system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), false, which);
            system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
            system.refresh_cpu_usage();
        }
        // A share needs a time to be a share of.
        (!first).then(|| self.metrics())
    }

    fn metrics(&self) -> Metrics {
        let mut metrics = self.gpu_metrics().unwrap_or_default();
        let Some(system) = &self.system else { return metrics };
        metrics.set("system/cpu", f64::from(system.global_cpu_usage()));
        metrics.set("system/memory", system.used_memory() as f64 / MEGABYTE);
        if let Some(process) = system.process(self.pid) {
            metrics.set("system/worker_cpu", f64::from(process.cpu_usage()));
            metrics.set("system/worker_memory", process.memory() as f64 / MEGABYTE);
        }
        metrics
    }

    fn gpu_metrics(&self) -> Option<Metrics> {
        let (nvml, number) = self.gpu.as_ref()?;
        let device = nvml.device_by_index(*number).ok()?;
        let mut metrics = Metrics::default();
        let figures = [
            ("system/gpu", device.utilization_rates().map(|rates| f64::from(rates.gpu))),
            ("system/gpu_memory", device.memory_info().map(|memory| memory.used as f64 / MEGABYTE)),
            ("system/gpu_power", device.power_usage().map(|milliwatts| f64::from(milliwatts) / 1e3)),
        ];
        for (name, figure) in figures {
            // A GPU that does not report one figure may report another.
            figure.into_iter().for_each(|value| metrics.set(name, value));
        }
        Some(metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_once_in_a_while_and_are_of_this_process() {
        let mut meter = SystemMeter::new(tch::Device::Cpu);
        assert_eq!(meter.measure(), None, "there is nothing to compare with yet");
        assert_eq!(meter.measure(), None, "it is too early");
        meter.last = Instant::now().checked_sub(PERIOD);
        let metrics = meter.measure().unwrap();
        let of = |name| metrics.get(name).unwrap();
        assert!((0.0..=100.0).contains(&of("system/cpu")) && of("system/worker_cpu") >= 0.0, "{metrics:?}");
        assert!(
            of("system/worker_memory") > 1.0 && of("system/worker_memory") < of("system/memory") * 2.0,
            "{metrics:?}"
        );
        assert!(metrics.iter().all(|(name, _)| pellucid_protocol::metric::definition(name).is_some()));
    }
}
