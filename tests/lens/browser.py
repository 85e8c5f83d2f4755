"""A page in headless Chromium, without packages: reads commands from standard input and writes answers to standard output, one line each.

    size W H                      of the window
    dark | light                  what the system prefers
    paper | screen                what it is drawn for
    open FILE                     the page, until it has been drawn
    eval EXPRESSION               its value as JSON
    click SELECTOR [X Y]          the mouse, at that place of the element (shares of its size; its middle)
    point SELECTOR [X Y]          the same without a click
    key KEY                       "a", "?", "ArrowDown"
    print FILE.pdf                what would come out of a printer
    shot FILE.png                 a picture of the window
    problems                      what the console, errors and requests of the page were so far, as JSON

What goes on in the browser goes through two pipes (--remote-debugging-pipe), messages of the DevTools protocol ended by a 0.
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


class Browser:
    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="tapeloom-browser-")
        to_read, self.to = os.pipe()
        self.come, from_write = os.pipe()
        # The browser gets its ends of the pipes as descriptors 3 and 4.
        script = f"exec 3<&{to_read} 4>&{from_write}; exec \"$@\""
        self.process = subprocess.Popen(
            ["sh", "-c", script, "sh", program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--remote-debugging-pipe", f"--user-data-dir={self.folder}", "about:blank"],
            pass_fds=(to_read, from_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.count, self.rest, self.session = 0, b"", None
        self.problems = []
        target = next(t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.come, 1 << 16)
            if not more:
                raise SystemExit("the browser has gone")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def note(self, message):
        """Counts what a page must not do: write to the console, fail, request anything but itself."""
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.problems.append("console: " + " ".join(str(a.get("value")) for a in params["args"]))
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append("error: " + details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded":
            self.problems.append("log: " + params["entry"]["text"])
        elif method == "Network.requestWillBeSent" and params["request"]["url"] != self.address \
                and not params["request"]["url"].startswith(("blob:", "data:")):
            self.problems.append("request: " + params["request"]["url"])

    def ask(self, method, **params):
        self.count += 1
        question = {"id": self.count, "method": method, "params": params}
        if self.session:
            question["sessionId"] = self.session
        os.write(self.to, json.dumps(question).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == self.count:
                if "error" in message:
                    raise SystemExit(f"{method}: {message['error']}")
                return message["result"]
            self.note(message)

    def wait(self, event):
        while True:
            message = self.message()
            self.note(message)
            if message.get("method") == event:
                return

    def eval(self, expression):
        got = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in got:
            return "failed: " + got["exceptionDetails"].get("exception", {}).get("description", "")
        return json.dumps(got["result"].get("value"), ensure_ascii=False)

    def open(self, file):
        self.address = pathlib.Path(file).resolve().as_uri()
        self.problems = []
        self.ask("Page.navigate", url=self.address)
        self.wait("Page.loadEventFired")

    address = ""

    def mouse(self, selector, x, y, click):
        at = json.loads(self.eval(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null;"
            " e.scrollIntoView({block: 'center', inline: 'nearest'}); const b = e.getBoundingClientRect();"
            f" return [b.x + b.width * {x}, b.y + b.height * {y}]; }})()"))
        if not at:
            return "failed: there is no " + selector
        place = {"x": at[0], "y": at[1]}
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", **place)
        for kind in ("mousePressed", "mouseReleased") if click else ():
            self.ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)
        return "ok"

    def key(self, name):
        text = {} if len(name) > 1 else {"text": name}
        self.ask("Input.dispatchKeyEvent", type="keyDown", key=name, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=name)

    def end(self):
        try:
            self.session = None
            self.ask("Browser.close")
        finally:
            self.process.wait(timeout=20)
            shutil.rmtree(self.folder, ignore_errors=True)


def do(browser, command, rest):
    words = rest.split()
    if command == "size":
        browser.ask("Emulation.setDeviceMetricsOverride", width=int(words[0]), height=int(words[1]), deviceScaleFactor=1,
                    mobile=False)
    elif command in ("dark", "light"):
        browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": command}])
    elif command in ("paper", "screen"):
        browser.ask("Emulation.setEmulatedMedia", media="print" if command == "paper" else "screen")
    elif command == "open":
        browser.open(rest)
    elif command == "eval":
        return browser.eval(rest)
    elif command in ("click", "point"):
        share = [float(w) for w in words[-2:]] if len(words) > 2 and words[-1].replace(".", "").isdigit() else None
        return browser.mouse(" ".join(words[:-2]) if share else rest, *(share or (0.5, 0.5)), command == "click")
    elif command == "key":
        browser.key(rest)
    elif command == "print":
        pathlib.Path(rest).write_bytes(base64.b64decode(browser.ask("Page.printToPDF", printBackground=True)["data"]))
    elif command == "shot":
        pathlib.Path(rest).write_bytes(base64.b64decode(browser.ask("Page.captureScreenshot")["data"]))
    elif command == "problems":
        browser.eval("1")  # what was said before has come by now
        return json.dumps(browser.problems, ensure_ascii=False)
    else:
        return "failed: no such command: " + command
    return "ok"


def main():
    browser = Browser(sys.argv[1])
    try:
        for line in sys.stdin:
            command, _, rest = line.rstrip("\n").partition(" ")
            print(do(browser, command, rest), flush=True)
    finally:
        browser.end()


if __name__ == "__main__":
    main()
