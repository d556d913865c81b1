"""``python -m tfdp.cli``."""

import sys

from . import main

sys.exit(main())
