from ._errors import *
from ._native import *
from ._pipeline import *
from ._types import *
from ._native import __version__ as __version__
