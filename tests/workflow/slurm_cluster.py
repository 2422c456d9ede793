"""A Slurm cluster of one node, for tests: munged, slurmctld and slurmd of our own, below one folder.

Nothing is installed and no system file is read or written; any user may run it. What is not there is named by `absent`.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

CLIENTS = ("sbatch", "srun", "squeue", "sinfo", "scancel", "scontrol", "sacct", "sacctmgr", "sshare")
PROGRAMS = ("munged", "slurmctld", "slurmd", *CLIENTS[:6])
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/opt/slurm/sbin", "/sbin"])
PATIENCE = 60  # seconds for a daemon to come up

# jobs are watched by their parents (no cgroups, which need rights), and there is no accounting database
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/finished.txt
PlugStackConfig={folder}/plugstack.conf
SchedulerParameters=sched_interval=1
MinJobAge=600
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def absent() -> list[str]:
    """Programs of Slurm that are not on this machine."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCH) is None]


class Cluster:
    """The daemons; a context manager that stops them.

    Parameters
    ----------
    folder
        For sockets, state and logs; an absolute path short enough for a Unix socket (about 90 characters).
    cpus
        Of the node, whatever the machine has.
    memory
        Of the node, MB.
    """

    def __init__(self, folder: Path, cpus: int = 2, memory: int = 4000) -> None:
        self.folder = folder
        self.daemons: list[subprocess.Popen] = []
        ports = free_ports(2)
        text = CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], user=pwd.getpwuid(os.getuid()).pw_name, folder=folder,
            controller_port=ports[0], node_port=ports[1], cpus=cpus, memory=memory,
        )  # fmt: skip
        (folder / "slurm.conf").write_text(text)
        (folder / "plugstack.conf").touch()
        (folder / "munge.key").write_bytes(secrets.token_bytes(128))
        (folder / "munge.key").chmod(0o600)
        folder.chmod(0o755)  # munged wants its socket to be reachable
        for name in ("state", "spool", "bin"):
            (folder / name).mkdir()
        for name in CLIENTS:  # the plugin drops SLURM_CONF within a job, so that the commands themselves must know
            if program := shutil.which(name, path=SEARCH):
                script = folder / "bin" / name
                script.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {program} "$@"\n')
                script.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which Slurm's commands find this cluster and no other."""
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SBATCH_"))}
        return {**ours, "SLURM_CONF": f"{self.folder}/slurm.conf", "PATH": f"{self.folder}/bin{os.pathsep}{SEARCH}"}

    def __enter__(self) -> "Cluster":
        try:
            self._start("munged", "--foreground", "--force", *self._munge_files())
            self._wait("munge's socket", (self.folder / "munge.sock").exists)
            self._start("slurmctld", "-D", "-c", "-f", self.folder / "slurm.conf")
            self._start("slurmd", "-D", "-c", "-f", self.folder / "slurm.conf")
            self._wait("an idle node", lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(self, *command: object) -> str:
        """Output of one of Slurm's commands."""
        done = subprocess.run(list(map(str, command)), env=self.environment, capture_output=True, text=True)
        return done.stdout

    def finished(self) -> list[dict[str, str]]:
        """Jobs that have ended: JobId, JobState, TimeLimit, Tres, … as Slurm wrote them down."""
        path = self.folder / "finished.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]

    def stop(self) -> None:
        """End jobs and daemons, the last one first."""
        if len(self.daemons) == 3:
            self.ask("scancel", "--partition=main")
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons.clear()

    def _munge_files(self) -> list[str]:
        names = {"socket": "munge.sock", "key-file": "munge.key", "pid-file": "munged.pid", "seed-file": "munged.seed"}
        return [f"--{option}={self.folder / name}" for option, name in names.items()] + [
            f"--log-file={self.folder / 'munged.log'}"
        ]

    def _start(self, *command: object) -> None:
        with (self.folder / f"{command[0]}.out").open("w") as log:
            self.daemons.append(
                subprocess.Popen(list(map(str, command)), env=self.environment, stdout=log, stderr=subprocess.STDOUT)
            )

    def _wait(self, what: str, there) -> None:
        until = time.monotonic() + PATIENCE
        while not there():
            ended = [daemon.args for daemon in self.daemons if daemon.poll() is not None]
            if ended or time.monotonic() > until:
                logs = "\n".join(f"{p.name}: {p.read_text()[-2000:]}" for p in sorted(self.folder.glob("*.out")))
                raise RuntimeError(f"no {what}: ended {ended}\n{logs}")
            time.sleep(0.1)


def free_ports(n: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(n)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()
