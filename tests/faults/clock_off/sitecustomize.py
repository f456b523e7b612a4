"""Read by a Python that starts with this folder in its path: its clock goes on so many seconds beside the true one.

The library libfaketime would do this for every program, but with it Python's own waiting fails.
"""

import os
import time

import time_machine

time_machine.travel(time.time() + float(os.environ["CLOCK_OFF_SECONDS"]), tick=True).start()
