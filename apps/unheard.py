"""What widgets say before anybody listens is not sent: a browser that comes asks for the state of all of them.

A page has hundreds of widgets. The server of the pages would read a message of each, for every viewer, on the one loop
that serves them all.
"""

from __future__ import annotations

from typing import Any

#: The comm that a browser opens first, to ask for every widget's state.
ASKED_ON = "jupyter.widget.control"


def speak_when_heard() -> None:
    """Keep the widgets of this kernel silent until its first browser asks for them."""
    from ipykernel.comm.comm import BaseComm
    from ipykernel.kernelbase import Kernel
    from ipywidgets import Widget
    from ipywidgets.comm import get_comm_manager

    kernels_comm: Any = BaseComm
    say = kernels_comm.publish_msg

    def unheard(comm: Any, *_: Any, **__: Any) -> None:
        comm.kernel = Kernel.instance()  # a widget whose comm knows none would stay silent for ever

    def asked(comm: Any, message: Any) -> None:
        kernels_comm.publish_msg = say
        Widget.handle_control_comm_opened(comm, message)

    kernels_comm.publish_msg = unheard
    get_comm_manager().register_target(ASKED_ON, asked)
