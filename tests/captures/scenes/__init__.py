# SPDX-License-Identifier: Apache-2.0
"""What the captures show, one function each; a module per neighbourhood."""
import importlib
import pkgutil


def load():
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
        if module.endswith("_scenes"):
            importlib.import_module(f"scenes.{module}")
