"""Puts the pinned libtorch where the build looks for it: .libtorch at the top of the repository.

The wheels are downloaded by name through pip, checked against the hashes below and unpacked
once into a cache shared by all checkouts; .libtorch is a link to it. For CPU only, just the
libraries that libtorch_cpu itself needs are unpacked. `--cuda` takes the full wheel with the
NVIDIA libraries it names. Interrupted? Run it again: finished wheels and folders are kept.
"""

import argparse
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import zipfile

TORCH = "2.11.0"
PIP_THAT_RESUMES = "25.1"
# One Python tag for everyone: only the C++ part of the wheel is used.
PYTHON_TAG = ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "none"]

TORCH_WHEELS = {
    "linux-x86_64": "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a",
    "linux-aarch64": "d91aac77f24082809d2c5a93f52a5f085032740a1ebc9252a7b052ef5a4fddc6",
    "macos-arm64": "7b6a60d48062809f58595509c524b88e6ddec3ebe25833d6462eeab81e5f2ce4",
}
# libtorch_cpu.so of the Linux wheels names libcudart and libcupti as needed, also without a GPU.
CPU_COMPANIONS = {
    "nvidia-cuda-runtime==13.0.96": {
        "linux-x86_64": "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
        "linux-aarch64": "ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55",
    },
    "nvidia-cuda-cupti==13.0.85": {
        "linux-x86_64": "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
        "linux-aarch64": "796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151",
    },
}
CPU_LIBRARIES = ("libtorch_cpu.", "libtorch.dylib", "libc10.", "libgomp", "libomp", "libarm_compute", "libopenblas",
                 "libgfortran", "libnvpl")
# pip matches the number in a tag exactly, so every older glibc is named.
PIP_PLATFORMS = {
    "linux-x86_64": [f"manylinux_2_{n}_x86_64" for n in range(28, 4, -1)] + ["manylinux2014_x86_64"],
    "linux-aarch64": [f"manylinux_2_{n}_aarch64" for n in range(28, 4, -1)] + ["manylinux2014_aarch64"],
    "macos-arm64": ["macosx_14_0_arm64", "macosx_11_0_arm64"],
}


def stop(message):
    sys.exit(f"libtorch: {message}")


def this_platform():
    machine = platform.machine().lower()
    key = {
        ("linux", "x86_64"): "linux-x86_64",
        ("linux", "aarch64"): "linux-aarch64",
        ("darwin", "arm64"): "macos-arm64",
    }.get((sys.platform, machine))
    return key or stop(f"no pinned wheel for {sys.platform} {machine}; set LIBTORCH to a libtorch {TORCH} folder")


def cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(home) / "pellucid"


def pip_command(cache):
    """A pip that resumes broken downloads: the installed one if it can, else a private newer copy."""
    own = [sys.executable, "-m", "pip"]
    probe = subprocess.run([*own, "--version"], capture_output=True, text=True)
    if probe.returncode != 0:
        stop("python3 has no pip; install it (Debian, Ubuntu: apt-get install python3-pip)")
    version = tuple(int(part) for part in probe.stdout.split()[1].split(".")[:2])
    if version >= tuple(int(part) for part in PIP_THAT_RESUMES.split(".")):
        return own, None
    private = cache / "pip"
    if not (private / "pip").is_dir():
        done = subprocess.run([*own, "install", "-q", "--target", str(private), f"pip>={PIP_THAT_RESUMES}"])
        if done.returncode != 0:
            return own, None
    return own, str(private)


def download(requirement, digest, wheels, key, pip):
    """The path of the wheel of `requirement` in `wheels`, downloaded and hash-checked if not there yet."""
    command, private = pip
    name = requirement.split("==")[0].replace("-", "_")
    done = wheels / f"{name}-{digest[:16]}.whl"
    if done.exists():
        return done
    incoming = wheels / f"incoming-{name}"
    incoming.mkdir(parents=True, exist_ok=True)
    wanted = incoming / "requirements.txt"
    wanted.write_text(f"{requirement} --hash=sha256:{digest}\n")
    platforms = [part for tag in PIP_PLATFORMS[key] for part in ("--platform", tag)]
    environment = dict(os.environ)
    if private:
        environment["PYTHONPATH"] = private
    resume = ["--resume-retries", "20"] if private or supports_resume(command) else []
    print(f"libtorch: downloading {requirement} ({key})", file=sys.stderr, flush=True)
    got = subprocess.run(
        [*command, "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--progress-bar", "on",
         *resume, *platforms, *PYTHON_TAG, "-d", str(incoming), "-r", str(wanted)],
        env=environment, stdout=sys.stderr)
    if got.returncode != 0:
        stop(f"pip could not download {requirement}; check the network and run it again")
    next(incoming.glob("*.whl")).rename(done)
    shutil.rmtree(incoming)
    return done


def supports_resume(command):
    shown = subprocess.run([*command, "download", "--help"], capture_output=True, text=True).stdout
    return "--resume-retries" in shown


def unpack(wheel, target, keep):
    """Unpacks the members of `wheel` for which `keep(name)` gives a path below `target`."""
    with zipfile.ZipFile(wheel) as archive:
        members = [(info, keep(info.filename)) for info in archive.infolist() if not info.is_dir()]
        members = [(info, path) for info, path in members if path]
        for count, (info, path) in enumerate(members, 1):
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as source, open(place, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            if sys.stderr.isatty() and (count % 200 == 0 or count == len(members)):
                print(f"\rlibtorch: unpacking {count}/{len(members)} ", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def keep_cpu(name):
    if name.startswith("torch/include/"):
        return name[len("torch/"):]
    base = name.rsplit("/", 1)[-1]
    if name.startswith(("torch/lib/", "torch/.dylibs/")) and name.count("/") == 2 and base.startswith(CPU_LIBRARIES):
        return f"lib/{base}"
    if name.startswith("torch.libs/") and base.startswith(CPU_LIBRARIES):
        return f"lib/{base}"
    return None


def keep_companion(name):
    base = name.rsplit("/", 1)[-1]
    return f"lib/{base}" if base.startswith(("libcudart.so.", "libcupti.so.")) else None


def fill_cpu(target, wheels, key, pip):
    print("libtorch: unpacking", file=sys.stderr, flush=True)
    unpack(download(f"torch=={TORCH}", TORCH_WHEELS[key], wheels, key, pip), target, keep_cpu)
    if key.startswith("linux"):
        for requirement, digests in CPU_COMPANIONS.items():
            unpack(download(requirement, digests[key], wheels, key, pip), target, keep_companion)
        # torch-sys asks the linker for libtorch; the wheel's own one would pull in CUDA.
        (target / "lib" / "libtorch.so").write_text("INPUT(-ltorch_cpu)\n")


def fill_cuda(target, wheels, key, pip):
    """The full wheel with its NVIDIA dependencies, laid out as pip does, so that its rpaths hold."""
    wheel = download(f"torch=={TORCH}", TORCH_WHEELS[key], wheels, key, pip)
    command, private = pip
    environment = dict(os.environ, **({"PYTHONPATH": private} if private else {}))
    named = wheels / "full" / f"torch-{TORCH}-cp311-cp311-{PIP_PLATFORMS[key][0]}.whl"
    named.parent.mkdir(exist_ok=True)
    if not named.exists():
        os.link(wheel, named)
    platforms = [part for tag in PIP_PLATFORMS[key] for part in ("--platform", tag)]
    got = subprocess.run(
        [*command, "install", "--target", str(target / "site"), "--only-binary=:all:", *platforms, *PYTHON_TAG,
         str(named)], env=environment, stdout=sys.stderr)
    if got.returncode != 0:
        stop("pip could not install the CUDA libraries; check the network and run it again")
    for folder in ("lib", "include"):
        (target / folder).symlink_to(target.parent / f"{CUDA_NAME}-{key}" / "site" / "torch" / folder)


CPU_NAME = f"libtorch-{TORCH}-cpu"
CUDA_NAME = f"libtorch-{TORCH}-cuda"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cuda", action="store_true", help="the full wheel, for NVIDIA GPUs")
    options.add_argument("link", type=pathlib.Path, help="where to put the link, e.g. .libtorch")
    chosen = options.parse_args()
    if os.environ.get("LIBTORCH") or os.environ.get("LIBTORCH_USE_PYTORCH"):
        return
    # pip warns about root, which is the usual user of a container.
    os.environ.setdefault("PIP_ROOT_USER_ACTION", "ignore")
    key, cache = this_platform(), cache_folder()
    wheels = cache / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{CUDA_NAME if chosen.cuda else CPU_NAME}-{key}"
    if not (folder / "build-version").exists():
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        partial.mkdir()
        (fill_cuda if chosen.cuda else fill_cpu)(partial, wheels, key, pip_command(cache))
        (partial / "build-version").write_text(TORCH)
        # Renamed only when whole: a folder of the final name can be trusted.
        partial.rename(folder)
    if chosen.link.is_symlink() or chosen.link.exists():
        if chosen.link.is_symlink() and chosen.link.resolve() == folder.resolve():
            return
        if not chosen.link.is_symlink():
            stop(f"{chosen.link} exists and is not a link; move it away or set LIBTORCH")
        chosen.link.unlink()
        # Cargo sees the same LIBTORCH and would keep what was linked with the other one.
        subprocess.run(["cargo", "clean", "-q", "--release", "-p", "torch-sys", "-p", "pellucid-engine"])
    chosen.link.symlink_to(folder)
    print(f"libtorch: {chosen.link} -> {folder}", file=sys.stderr)


main()
