"""A kernel's widgets say nothing before a browser asks for all of them, and everything from then on."""

from __future__ import annotations

import subprocess
import sys

#: A kernel's own process, whose messages are caught where they would leave it.
SCRIPT = """
import json
from types import SimpleNamespace
import comm, ipykernel.ipkernel, ipywidgets
from ipykernel.comm.comm import BaseComm
from apps.unheard import ASKED_ON, speak_when_heard

said = []
BaseComm.publish_msg = lambda self, kind, *given, **more: said.append((kind, self.comm_id))
ipykernel.kernelbase.Kernel.instance = SimpleNamespace
ipywidgets.register_comm_target()
speak_when_heard()
first = ipywidgets.HTML("before")
first.value = "changed before"
before = list(said)
content = {"comm_id": "asks", "target_name": ASKED_ON, "data": {}}
comm.get_comm_manager().comm_open(None, "", {"content": content, "metadata": {"version": "1.0.0"}})
first.value = "changed after"
second = ipywidgets.HTML("after")
print(json.dumps([before, [kind for kind, of in said if of == first.comm.comm_id],
                  [kind for kind, of in said if of == second.comm.comm_id]]))
"""


def test_widgets_are_silent_until_somebody_asks_for_them() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.strip() == '[[], ["comm_msg"], ["comm_open"]]', done.stderr
