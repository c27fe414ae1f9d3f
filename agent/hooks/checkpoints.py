"""Checkpoints of a training loop that the hook prepare-pytorch can ask for with SIGUSR1.

    checkpoints = Checkpoints("/var/lib/train")
    state = checkpoints.load()
    if state:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    for step in range(state["step"] + 1 if state else 0, steps):
        train_one_step()
        if checkpoints.asked:
            checkpoints.save({"step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict()})

With several processes, only the first one (rank 0) makes Checkpoints.
"""

import os
import signal

import torch


class Checkpoints:
    def __init__(self, folder):
        self.asked = False
        self._folder = folder
        os.makedirs(folder, exist_ok=True)
        # A signal comes at any moment, the state is whole between two steps only.
        signal.signal(signal.SIGUSR1, self._ask)
        self._write("pid", str(os.getpid()))

    def load(self):
        """The last checkpoint, or None."""
        path = self._path("checkpoint.pt")
        return torch.load(path, map_location="cpu") if os.path.exists(path) else None

    def save(self, state):
        # Whoever stops the machine meanwhile finds the one before.
        self.asked = False
        path = self._path("checkpoint.pt.new")
        torch.save(state, path)
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        os.replace(path, self._path("checkpoint.pt"))
        self._write("saved", f"step {state.get('step')}")

    def _ask(self, *_):
        self.asked = True

    def _path(self, name):
        return os.path.join(self._folder, name)

    def _write(self, name, text):
        with open(self._path(name + ".new"), "w") as file:
            file.write(text + "\n")
        os.replace(self._path(name + ".new"), self._path(name))
