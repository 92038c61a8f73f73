"""Tests the plugin PLUGIN_NAME; run it with python3."""

import importlib.util
import pathlib
import unittest

FILE = pathlib.Path(__file__).with_name("PLUGIN_NAME.py")


def load():
    spec = importlib.util.spec_from_file_location("PLUGIN_NAME", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Plugin()


class PluginTest(unittest.TestCase):
    def test_it_greets(self):
        self.assertEqual(load().execute({"WHO": "World"}, {}), {"GREETING": "Hello, World!"})

    def test_the_greeting_can_be_chosen(self):
        outputs = load().execute({"WHO": "Ada"}, {"greeting": "Good day"})
        self.assertEqual(outputs, {"GREETING": "Good day, Ada!"})


if __name__ == "__main__":
    unittest.main()
