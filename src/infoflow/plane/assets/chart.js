"use strict";
// A chart of one or more panels: axes, titles and limits as SVG, all marks on one canvas, which a step of the slider
// paints anew. Positions are in CSS pixels; a missing number is NaN. Texts enter as text nodes, so no name can run.
window.InfoflowChart = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const REACH = 12; // pixels between the pointer and a mark that it selects
  const GAP = 16; // least distance of ticks, in pixels

  function node(tag, attributes, text) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function linearTicks([low, high], most) {
    const rough = (high - low) / Math.max(1, most), power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
    const digits = Math.max(0, [0, 1, 2, 3, 4, 5, 6].find((d) => Math.abs(step * 10 ** d - Math.round(step * 10 ** d)) < 1e-6) ?? 6);
    const ticks = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i += 1) {
      ticks.push({ at: i * step, text: step >= 1e6 || step < 1e-6 ? (i * step).toExponential(1) : (i * step).toFixed(digits) });
    }
    return ticks;
  }

  // Widest pattern first: a tick's text must not touch its neighbor's.
  function thinned(ticks, position, wide) {
    let last = -Infinity;
    return ticks.filter(({ at, text }) => {
      const here = position(at);
      if (here - last < (wide ? Math.max(GAP, 7 * String(text).length + 6) : 12)) return false;
      last = here;
      return true;
    });
  }

  class Chart {
    // `hovered(mark, index)` is called when the pointer selects another mark, or none; `zoomed()` after a zoom.
    constructor(holder, { hovered, zoomed, name }) {
      this.holder = holder;
      this.hovered = hovered;
      this.zoomed = zoomed;
      this.name = name;
      this.zooms = new Map();
      this.panels = [];
      this.canvas = document.createElement("canvas");
      this.svg = node("svg", { class: "frame" });
      this.tip = document.createElement("div");
      this.tip.className = "tip";
      this.tip.hidden = true;
      this.tools = document.createElement("div");
      this.tools.className = "tools";
      for (const [text, title, act] of [["⤓", "save as PNG", () => this.save()], ["⤢", "show everything", () => this.reset()]]) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = text;
        button.title = title;
        button.setAttribute("aria-label", `${title}: ${name}`);
        button.addEventListener("click", act);
        this.tools.append(button);
      }
      holder.classList.add("chart");
      holder.replaceChildren(this.svg, this.canvas, this.tip, this.tools);
      this.listen();
    }

    // ---- frame -----------------------------------------------------------------------------------------------
    // Panels: {left, top, width, height, x: {range, log, ticks, title}, y: ..., heading, aside, limits: [{axis, at, text}]}.
    frame(panels, theme, revision) {
      if (revision !== this.revision) this.zooms.clear();
      this.revision = revision;
      this.theme = theme;
      this.wanted = panels;
      this.width = this.holder.clientWidth;
      this.height = this.holder.clientHeight;
      this.panels = panels.map((panel, i) => this.scaled(panel, this.zooms.get(i)));
      const ratio = window.devicePixelRatio || 1;
      this.canvas.width = Math.round(this.width * ratio);
      this.canvas.height = Math.round(this.height * ratio);
      this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
      this.svg.setAttribute("width", this.width);
      this.svg.setAttribute("height", this.height);
      this.svg.setAttribute("font-family", theme.font);
      this.svg.replaceChildren(...this.panels.flatMap((panel) => this.axes(panel)));
    }

    scaled(panel, zoom) {
      const x = zoom?.x ?? panel.x.range, y = zoom?.y ?? panel.y.range; // of a log axis, the powers of ten
      const right = panel.width / (x[1] - x[0]), up = panel.height / (y[1] - y[0]);
      return { ...panel, rangeX: x, rangeY: y,
        px: panel.x.log ? (value) => panel.left + (Math.log10(value) - x[0]) * right : (value) => panel.left + (value - x[0]) * right,
        py: (value) => panel.top + (y[1] - value) * up };
    }

    axes(panel) {
      const { left, top, width, height, px, py, rangeX, rangeY } = panel, { rule, grid, quiet, ink } = this.theme, made = [];
      const bottom = top + height, right = left + width, inside = ([low, high], value) => value >= low && value <= high;
      const line = (x1, y1, x2, y2, stroke, more = {}) => node("line", { x1, y1, x2, y2, stroke, ...more });
      const text = (x, y, words, size, fill, more = {}) => node("text", { x, y, "font-size": size, fill, ...more }, words);
      const yTicks = linearTicks(rangeY, height / 45);
      const given = panel.x.ticks?.filter(({ at }) => inside(rangeX, panel.x.log ? Math.log10(at) : at));
      const xTicks = thinned(given ?? linearTicks(rangeX, width / 75), px, true);
      for (const { at, text: words } of yTicks) {
        const y = py(at);
        if (panel.gridded) made.push(line(left, y, right, y, grid));
        made.push(line(left - 4, y, left, y, rule), text(left - 7, y + 4, words, 11, quiet, { "text-anchor": "end", class: "tick" }));
      }
      for (const { at, text: words } of xTicks) {
        made.push(line(px(at), bottom, px(at), bottom + 4, rule), text(px(at), bottom + 16, words, 11, quiet, { "text-anchor": "middle", class: "tick" }));
      }
      made.push(line(left, bottom, right, bottom, rule), line(left, top, left, bottom, rule));
      for (const { axis, at, text: words } of panel.limits ?? []) {
        if (!inside(axis === "x" ? rangeX : rangeY, at)) continue;
        const dash = { "stroke-width": 1.2, "stroke-dasharray": "8 6" };
        if (axis === "x") made.push(line(px(at), top, px(at), bottom, quiet, dash), text(Math.min(px(at), this.width - 40), top - 5, words, 11, quiet, { "text-anchor": "middle" }));
        else made.push(line(left, py(at), right, py(at), quiet, dash), text(left + 6, py(at) - 5, words, 11, quiet));
      }
      if (panel.x.title) made.push(this.fitted(text(left + width / 2, bottom + (panel.x.size > 12 ? 36 : 32), panel.x.title, panel.x.size, panel.x.color ?? ink, { "text-anchor": "middle", class: "xtitle" }), width));
      if (panel.y.title) made.push(this.fitted(text(0, 0, panel.y.title, panel.y.size, ink, { "text-anchor": "middle", class: "ytitle", transform: `translate(${left - 40} ${top + height / 2}) rotate(-90)` }), height));
      if (panel.heading) made.push(this.fitted(text(left, top - 8, panel.heading, 12.5, ink, { class: "heading" }), width * (panel.aside ? 0.62 : 1)));
      if (panel.aside) made.push(text(right, top - 8, panel.aside, 11, quiet, { "text-anchor": "end" }));
      return made;
    }

    fitted(made, length) { // a long name is set narrower, never cut off
      const wide = made.textContent.length * made.getAttribute("font-size") * 0.55;
      if (wide > 1.15 * length) {
        made.setAttribute("textLength", length);
        made.setAttribute("lengthAdjust", "spacingAndGlyphs");
      }
      return made;
    }

    // ---- marks -----------------------------------------------------------------------------------------------
    // Marks by panel, painted in their order: {type: "line" | "band" | "dots" | "discs", x, y, ...}.
    draw(marks) {
      this.marks = marks;
      const brush = this.canvas.getContext("2d"), ratio = this.canvas.width / Math.max(1, this.width);
      brush.setTransform(ratio, 0, 0, ratio, 0, 0);
      brush.clearRect(0, 0, this.width, this.height);
      this.panels.forEach((panel, i) => {
        brush.save();
        brush.beginPath(); // a disc may reach over the axes, unless they are zoomed
        const over = this.zooms.has(i) ? 0 : 14;
        brush.rect(panel.left - over, panel.top - over, panel.width + 2 * over, panel.height + 2 * over);
        brush.clip();
        for (const mark of marks[i] ?? []) PAINT[mark.type](brush, mark, panel, this.theme);
        brush.restore();
      });
    }

    named(name, panel) { // the marks of this name, of one panel or all
      return this.marks.flatMap((some, i) => (panel === undefined || panel === i ? some : [])).filter((mark) => mark.name === name);
    }

    place(panel, x, y) { // where a point is on the screen
      const { left, top } = this.holder.getBoundingClientRect();
      return { x: left + this.panels[panel].px(x), y: top + this.panels[panel].py(y) };
    }

    // ---- pointer ---------------------------------------------------------------------------------------------
    panelAt(x, y, slack = 14) {
      return this.panels.findIndex(({ left, top, width, height }) => x >= left - slack && x <= left + width + slack && y >= top - slack && y <= top + height + slack);
    }

    nearest(x, y) {
      const at = this.panelAt(x, y), panel = this.panels[at];
      let best = REACH ** 2, found = null;
      for (const mark of this.marks?.[at] ?? []) {
        if (!mark.hover) continue;
        for (let i = 0; i < mark.x.length; i += 1) {
          const apart = (panel.px(mark.x[i]) - x) ** 2 + (panel.py(mark.y[i]) - y) ** 2;
          if (apart <= best) { best = apart; found = { mark, i, panel }; } // of equals, the one on top
        }
      }
      return found;
    }

    point(x, y) {
      const found = this.nearest(x, y);
      if (found?.mark === this.over?.mark && found?.i === this.over?.i) return;
      this.over = found;
      this.tip.hidden = !found;
      if (found) {
        const { mark, i, panel } = found, lines = mark.hover(i);
        this.tip.replaceChildren(...lines.map((words, k) => {
          const made = document.createElement(k ? "div" : "b");
          made.textContent = words;
          return made;
        }));
        const px = panel.px(mark.x[i]), py = panel.py(mark.y[i]), { offsetWidth: wide, offsetHeight: high } = this.tip;
        this.tip.style.left = `${px + wide + 16 > this.width ? Math.max(0, px - wide - 14) : px + 14}px`;
        this.tip.style.top = `${Math.max(0, Math.min(this.height - high, py - high / 2))}px`;
      }
      this.hovered?.(found?.mark ?? null);
    }

    listen() {
      const at = (event) => { const box = this.canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
      let start = null, frame = null;
      this.canvas.addEventListener("pointermove", (event) => {
        const [x, y] = at(event);
        if (!start) { this.point(x, y); return; }
        frame ??= this.svg.appendChild(node("rect", { fill: this.theme.accent, "fill-opacity": 0.12, stroke: this.theme.accent }));
        const box = { x: Math.min(x, start[0]), y: Math.min(y, start[1]), width: Math.abs(x - start[0]), height: Math.abs(y - start[1]) };
        for (const [name, value] of Object.entries(box)) frame.setAttribute(name, value);
      });
      this.canvas.addEventListener("pointerleave", () => this.point(-1e9, -1e9));
      this.canvas.addEventListener("pointerdown", (event) => {
        if (event.button || event.pointerType === "touch" || this.panelAt(...at(event), 0) < 0) return;
        start = at(event);
        this.canvas.setPointerCapture(event.pointerId);
      });
      const stop = (event) => {
        if (!start) return;
        const [x, y] = at(event), index = this.panelAt(...start, 0), panel = this.panels[index], [x0, y0] = start;
        frame?.remove();
        start = frame = null;
        if (event.type !== "pointerup" || Math.abs(x - x0) < 8 || Math.abs(y - y0) < 8) return;
        const across = (px) => panel.rangeX[0] + ((Math.max(panel.left, Math.min(panel.left + panel.width, px)) - panel.left) / panel.width) * (panel.rangeX[1] - panel.rangeX[0]);
        const up = (py) => panel.rangeY[1] - ((Math.max(panel.top, Math.min(panel.top + panel.height, py)) - panel.top) / panel.height) * (panel.rangeY[1] - panel.rangeY[0]);
        this.zooms.set(index, { x: [across(Math.min(x, x0)), across(Math.max(x, x0))], y: [up(Math.max(y, y0)), up(Math.min(y, y0))] });
        this.again();
      };
      this.canvas.addEventListener("pointerup", stop);
      this.canvas.addEventListener("pointercancel", stop);
      this.canvas.addEventListener("dblclick", () => this.reset());
    }

    reset() {
      this.zooms.clear();
      this.again();
    }

    again() {
      this.frame(this.wanted, this.theme, this.revision);
      this.draw(this.marks);
      this.zoomed?.();
    }

    // ---- picture ---------------------------------------------------------------------------------------------
    async save() {
      const ratio = Math.max(2, window.devicePixelRatio || 1), picture = document.createElement("canvas"), frame = new Image();
      picture.width = this.width * ratio;
      picture.height = this.height * ratio;
      const copy = this.svg.cloneNode(true);
      copy.setAttribute("xmlns", SVG);
      frame.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
      await frame.decode();
      const brush = picture.getContext("2d");
      brush.fillStyle = this.theme.paper;
      brush.fillRect(0, 0, picture.width, picture.height);
      brush.drawImage(frame, 0, 0, picture.width, picture.height);
      const screen = this.canvas;
      this.canvas = document.createElement("canvas"); // the same marks, sharper
      this.canvas.width = picture.width;
      this.canvas.height = picture.height;
      this.draw(this.marks);
      brush.drawImage(this.canvas, 0, 0);
      this.canvas = screen;
      picture.toBlob((blob) => {
        const link = document.createElement("a"), address = URL.createObjectURL(blob);
        link.href = address;
        link.download = `${this.name.replace(/[^\p{L}\p{N}]+/gu, "-")}.png`;
        link.click();
        setTimeout(() => URL.revokeObjectURL(address), 1000);
      });
    }
  }

  // ---- painting ----------------------------------------------------------------------------------------------
  const at = (value, i) => (Array.isArray(value) || ArrayBuffer.isView(value) ? value[i] : value);

  function trace(brush, { x, y }, { px, py }) {
    let pen = false;
    for (let i = 0; i < x.length; i += 1) {
      const h = px(x[i]), v = py(y[i]);
      if (!(Number.isFinite(h) && Number.isFinite(v))) { pen = false; continue; }
      if (pen) brush.lineTo(h, v); else brush.moveTo(h, v);
      pen = true;
    }
  }

  const PAINT = {
    line(brush, mark, panel) { // one color, or one for each stretch between points
      brush.lineWidth = mark.width;
      brush.lineJoin = brush.lineCap = "round";
      brush.setLineDash(mark.dash ?? []);
      if (typeof mark.color === "string") {
        brush.strokeStyle = mark.color;
        brush.beginPath();
        trace(brush, mark, panel);
        brush.stroke();
      } else {
        for (let i = 1; i < mark.x.length; i += 1) {
          brush.strokeStyle = mark.color[i];
          brush.beginPath();
          trace(brush, { x: [mark.x[i - 1], mark.x[i]], y: [mark.y[i - 1], mark.y[i]] }, panel);
          brush.stroke();
        }
      }
      brush.setLineDash([]);
    },
    band(brush, { x, low, high, color }, { px, py }) { // between two lines
      const there = [...x.keys()].filter((i) => Number.isFinite(low[i]) && Number.isFinite(high[i]));
      brush.fillStyle = color;
      brush.beginPath();
      for (const i of there) brush.lineTo(px(x[i]), py(high[i]));
      for (const i of there.reverse()) brush.lineTo(px(x[i]), py(low[i]));
      brush.fill();
    },
    dots(brush, mark, { px, py }) { // small points: full ones and open ones
      brush.fillStyle = brush.strokeStyle = mark.color;
      brush.lineWidth = mark.edge ?? 1;
      const turn = 2 * Math.PI;
      for (let i = 0; i < mark.x.length; i += 1) {
        const radius = at(mark.size, i) / 2, h = px(mark.x[i]), v = py(mark.y[i]);
        if (!(radius > 0 && Number.isFinite(h) && Number.isFinite(v))) continue;
        brush.globalAlpha = at(mark.alpha ?? 1, i);
        brush.beginPath();
        brush.arc(h, v, radius, 0, turn);
        if (at(mark.open, i)) brush.stroke(); else brush.fill();
      }
      brush.globalAlpha = 1;
    },
    discs(brush, mark, { px, py }, theme) { // a layer now: error bars, a disc, its number
      brush.textAlign = "center";
      brush.textBaseline = "middle";
      for (let i = 0; i < mark.x.length; i += 1) {
        const h = px(mark.x[i]), v = py(mark.y[i]);
        if (!(Number.isFinite(h) && Number.isFinite(v))) continue;
        if (mark.bars) {
          brush.strokeStyle = mark.color;
          brush.lineWidth = 1.1;
          brush.beginPath();
          const { x, y } = mark.bars;
          if (x) { brush.moveTo(px(x[0]), v); brush.lineTo(px(x[1]), v); }
          if (y) { brush.moveTo(h, py(y[0])); brush.lineTo(h, py(y[1])); }
          brush.stroke();
        }
        if (mark.size) {
          brush.beginPath();
          brush.arc(h, v, mark.size / 2, 0, 2 * Math.PI);
          brush.fillStyle = mark.open ? theme.paper : mark.color;
          brush.fill();
          brush.strokeStyle = mark.open ? mark.color : theme.paper;
          brush.lineWidth = mark.open ? 2.2 : 1.2;
          if (mark.open || mark.edged) brush.stroke();
        }
        if (mark.text) {
          brush.font = `${mark.size ? 600 : 700} ${mark.fontSize}px ${theme.font}`;
          brush.fillStyle = mark.ink;
          brush.fillText(mark.text, h, mark.size ? v + 0.5 : v - 13);
        }
      }
    },
  };

  return Chart;
})();
