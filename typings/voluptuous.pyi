# Home Assistant answers `import voluptuous` with its own engine. For the type checker the name must
# mean the same: the types of the installed voluptuous clash with Home Assistant's.
from probatio import *
