from ._errors import *
from ._native import *
from ._types import *
