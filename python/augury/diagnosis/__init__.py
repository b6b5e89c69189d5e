"""Diagnosis: whether this machine has what augury needs, and how to get what it has not.

:mod:`.finding` is what a look comes to; :mod:`.environment` looks at versions and packages,
:mod:`.limits` at memory, files and the kernel, :mod:`.reaching` at ports and a server;
:func:`examine` does all of it. A look never raises and never changes anything.
"""

from augury.diagnosis.examination import examine
from augury.diagnosis.finding import Finding, State

__all__ = ["Finding", "State", "examine"]
