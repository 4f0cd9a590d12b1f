//! Which device to compute on.

use pellucid_protocol::settings;
use tch::Device;

use crate::error::{Error, Result};

/// The device that a person asks for.
///
/// # Errors
/// When libtorch does not see it.
pub fn device(requested: settings::Device) -> Result<Device> {
    match requested {
        settings::Device::Auto => Ok(Device::cuda_if_available()),
        settings::Device::Cpu => Ok(Device::Cpu),
        settings::Device::Cuda(index) if (index as i64) < tch::Cuda::device_count() => Ok(Device::Cuda(index)),
        settings::Device::Cuda(index) => Err(Error::Setting {
            key: "--device",
            message: format!(
                "cuda:{index} is not there; libtorch sees {} GPUs (`make libtorch CUDA=1` installs the CUDA build)",
                tch::Cuda::device_count()
            ),
        }),
    }
}
