# Home Assistant answers `import voluptuous` with its own engine. For the type checker this name has
# to mean the same: the types of the voluptuous that is installed as well clash with Home Assistant's.
from probatio import *
