// Browsers forbid workers on pages that were opened as files. There, a hidden frame runs the worker's script instead,
// so that the search works without a server. The search recognizes this class by its name.
if (location.protocol === "file:") {
  const prologue = `
    postMessage = message => parent.postMessage(message, "*");
    importScripts = (...urls) => urls.reduce(
      (before, url) => before.then(() => new Promise((done, failed) => {
        const script = document.createElement("script");
        Object.assign(script, {src: url, onload: done, onerror: failed});
        document.body.appendChild(script);
      })),
      Promise.resolve(),
    );`;
  window.IFrameWorker = class IFrameWorker extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      this.frame = frame;
      this.receive = event => {
        if (event.source !== frame.contentWindow) return;
        const message = new MessageEvent("message", {data: event.data});
        this.dispatchEvent(message);
        if (this.onmessage) this.onmessage(message);
      };
      addEventListener("message", this.receive);
      const page = frame.contentWindow.document;
      page.open();
      page.write("<html><body></body></html>");
      page.close();
      const start = page.createElement("script");
      start.textContent = prologue;
      page.body.appendChild(start);
      this.ready = new Promise((done, failed) => {
        const script = page.createElement("script");
        Object.assign(script, {src: url, onload: done, onerror: failed});
        page.body.appendChild(script);
      });
    }

    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", {data})));
    }

    terminate() {
      removeEventListener("message", this.receive);
      this.frame.remove();
    }
  };
  window.Worker = window.IFrameWorker;
}
