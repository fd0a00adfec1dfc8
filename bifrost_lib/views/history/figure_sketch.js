// A Bokeh figure on one canvas for as long as Bokeh is not there: lines, areas, marks and axes, with nothing to click.
const ARRAYS = {
  float64: Float64Array, float32: Float32Array,
  int32: Int32Array, uint32: Uint32Array, int8: Int8Array, uint8: Uint8Array,
}
const DAY_MS = 86400000
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const DASHES = { dotted: [2, 4], dashed: [6] }
const ROOM = { left: 33, least: 47, right: 30, bare: 8, top: 25, legend: 20, bottom: 25, label: 16 }
const TICKS = 6

// What a figure's text says, its references followed and what is set anew in it put in.
function figureOf(item, data) {
  const known = {}
  function note(value) {
    if (!value || typeof value !== "object") return
    if (value.type === "object" && value.id) known[value.id] = value
    Object.values(value).forEach(note)
  }
  note(item.doc)
  const follow = (value) => (value && value.id && known[value.id] ? known[value.id] : value)
  const of = (value, name) => follow(follow(value)?.attributes?.[name])
  for (const { attributes } of Object.values(known)) Object.assign(attributes ?? {}, data[attributes?.name])
  return { of, follow, root: follow(item.doc.roots[0]), kind: (value) => follow(value)?.name }
}

function number(value) {
  return typeof value === "number" ? value : NaN
}

function arrayOf(value) {
  return Array.isArray(value) ? value : (value?.numbers ?? [])
}

// Give every array of a text its numbers, which Bokeh has packed.
async function unpack(value) {
  if (!value || typeof value !== "object") return
  if (value.type !== "ndarray") await Promise.all(Object.values(value).map(unpack))
  else if (ARRAYS[value.dtype] && value.array.type === "bytes") {
    const packed = Uint8Array.from(atob(value.array.data), (letter) => letter.charCodeAt(0))
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))
    value.numbers = [...new ARRAYS[value.dtype](await new Response(stream).arrayBuffer())]
  }
}

function columnsOf({ of }, holder, source) {
  const data = of(of(holder, source), "data") ?? {}
  const columns = data.type === "map" ? Object.fromEntries(data.entries) : data
  const column = (model, name) => {
    const told = of(model, name)
    return told?.field !== undefined ? arrayOf(columns[told.field]) : null
  }
  const value = (model, name, otherwise) => {
    const told = of(model, name)
    return told === undefined ? otherwise : told?.type === "value" ? told.value : told
  }
  return { column, value }
}

// What stands beside the glyphs: axes, legends, spans, whiskers.
function around({ of, root }) {
  return ["center", "left", "right", "above", "below"].flatMap((place) => of(root, place) ?? [])
}

// Everything that a figure draws, as shapes in its own units, the lowest first.
function shapesOf(figure) {
  const { of, kind, root } = figure
  const shapes = []
  for (const renderer of of(root, "renderers") ?? []) {
    if (kind(renderer) !== "GlyphRenderer") continue
    const glyph = of(renderer, "glyph")
    const { column, value } = columnsOf(figure, renderer, "data_source")
    const line = lineOf(value, glyph)
    const area = { fill: value(glyph, "fill_color"), alpha: value(glyph, "fill_alpha", 1) }
    const points = { x: column(glyph, "x")?.map(number), y: column(glyph, "y")?.map(number), renderer }
    if (kind(glyph) === "Line") shapes.push({ ...line, ...points })
    else if (kind(glyph) === "Patch") shapes.push({ ...area, ...points })
    else if (kind(glyph) === "Scatter") {
      shapes.push({ ...area, ...points, dot: column(glyph, "size") ?? value(glyph, "size", 4) })
    } else if (kind(glyph) === "MultiLine") {
      const colours = column(glyph, "line_color")
      const [xs, ys] = ["xs", "ys"].map((name) => column(glyph, name).map((one) => arrayOf(one).map(number)))
      xs.forEach((x, at) => shapes.push({ ...line, x, y: ys[at], stroke: colours?.[at] ?? line.stroke }))
    } else return null
  }
  for (const one of around(figure)) if (kind(one) === "Whisker") shapes.push(whiskers(figure, one))
  return shapes.filter((shape) => shape.x?.length)
}

// Lines across the whole figure.
function spansOf(figure, [x0, x1], [y0, y1]) {
  const { of, kind } = figure
  const value = (model, name, otherwise) => of(model, name) ?? otherwise
  return around(figure).filter((one) => kind(one) === "Span").map((one) => {
    const at = number(of(one, "location"))
    const upright = of(one, "dimension") === "height"
    return { ...lineOf(value, one), x: upright ? [at, at] : [x0, x1], y: upright ? [y0, y1] : [at, at] }
  })
}

function lineOf(value, model) {
  return {
    stroke: value(model, "line_color", "#000"), width: value(model, "line_width", 1),
    alpha: value(model, "line_alpha", 1), dash: value(model, "line_dash", []),
  }
}

function whiskers(figure, one) {
  const { column, value } = columnsOf(figure, one, "source")
  const [base, low, high] = ["base", "lower", "upper"].map((name) => column(one, name)?.map(number) ?? [])
  return {
    ...lineOf(value, one),
    x: base.flatMap((x) => [x, x, NaN]), y: low.flatMap((y, at) => [y, high[at], NaN]),
  }
}

// The ends of an axis: as the figure says, else all numbers with a little room.
function ends({ of, kind, root }, name, numbers) {
  const range = of(root, name)
  if (kind(range) === "Range1d") return [number(of(range, "start") ?? 0), number(of(range, "end") ?? 1)]
  const finite = numbers.filter(Number.isFinite)
  const [low, high] = [Math.min(...finite), Math.max(...finite)]
  const room = (high - low) * 0.05
  return [low - room, high + room]
}

function numberTicks(low, high) {
  const size = 10 ** Math.floor(Math.log10((high - low) / TICKS))
  const off = (step) => Math.abs((high - low) / step - TICKS)
  const step = [1, 2, 5, 10].map((factor) => factor * size).sort((one, other) => off(one) - off(other))[0]
  const ticks = []
  for (let at = Math.ceil(low / step); at * step <= high; at++) ticks.push(at * step + 0) // which makes -0 a 0
  return [ticks, step]
}

function dayTicks(low, high) {
  const days = (high - low) / DAY_MS
  const ticks = []
  if (days > 100) {
    const step = [1, 2, 3, 4, 6, 12, 24].find((months) => days / 30.4 / months <= TICKS + 1) ?? 48
    const first = new Date(low)
    for (let month = Math.ceil(first.getUTCMonth() / step) * step; ; month += step) {
      const at = Date.UTC(first.getUTCFullYear(), month)
      if (at > high) return [ticks, (ms) => `${MONTHS[new Date(ms).getUTCMonth()]} ${new Date(ms).getUTCFullYear()}`]
      if (at >= low) ticks.push(at)
    }
  }
  const step = [1, 2, 4, 7, 14].find((some) => days / some <= TICKS + 1) ?? 28
  for (let at = Math.ceil(low / DAY_MS) * DAY_MS; at <= high; at += step * DAY_MS) ticks.push(at)
  return [ticks, (ms) => `${MONTHS[new Date(ms).getUTCMonth()]} ${String(new Date(ms).getUTCDate()).padStart(2, "0")}`]
}

function ticksOf({ of, kind }, axis, low, high) {
  if (kind(axis) === "DatetimeAxis") return dayTicks(low, high)
  const [ticks, step] = numberTicks(low, high)
  const format = of(of(axis, "formatter"), "format")
  const share = format?.endsWith("%") ? 100 : 1
  const decimals = format?.split(".")[1] ?? ""
  const places = format ? decimals.replace(/[^0#]/g, "").length : Math.max(0, -Math.floor(Math.log10(step)))
  const form = {
    minimumFractionDigits: decimals.startsWith("[") ? 0 : places, // as Bokeh reads "0.[0]"
    maximumFractionDigits: places, useGrouping: Boolean(format?.includes(",")),
  }
  const text = (value) => (value * share).toLocaleString("en-US", form) + (share > 1 ? "%" : "")
  return [ticks, format ? text : (value) => text(value).replace("-", "\u2212")]
}

// What draws on a canvas as large as `place`.
function penOn(place, font) {
  const { clientWidth: width, clientHeight: height } = place
  const canvas = document.createElement("canvas")
  const scale = window.devicePixelRatio || 1
  canvas.width = width * scale
  canvas.height = height * scale
  canvas.style.cssText = `width:${width}px;height:${height}px`
  place.append(canvas)
  const pen = canvas.getContext("2d")
  pen.scale(scale, scale)
  pen.font = `11px ${font}`

  // A path that is broken where a number is missing.
  function follow(points) {
    pen.beginPath()
    let down = false
    for (const [x, y] of points) {
      if (Number.isNaN(x) || Number.isNaN(y)) down = false
      else if (down) pen.lineTo(x, y)
      else {
        pen.moveTo(x, y)
        down = true
      }
    }
  }
  return {
    width, height, wide: (text) => pen.measureText(text).width,
    write(text, x, y, { align = "center", size = 11, weight = "", colour, turned = false }) {
      pen.save()
      Object.assign(pen, { font: `${weight} ${size}px ${font}`, textAlign: align, textBaseline: "middle" })
      Object.assign(pen, { fillStyle: colour, globalAlpha: 1 })
      pen.translate(x, y)
      if (turned) pen.rotate(-Math.PI / 2)
      pen.fillText(text, 0, 0)
      pen.restore()
    },
    line(points, { stroke, width = 1, dash = [], alpha = 1 }) {
      Object.assign(pen, { strokeStyle: stroke, lineWidth: width, globalAlpha: alpha, lineJoin: "bevel" })
      pen.setLineDash(Array.isArray(dash) ? dash : DASHES[dash] ?? [])
      follow(points)
      pen.stroke()
    },
    area(points, { fill, alpha = 1 }) {
      Object.assign(pen, { fillStyle: fill, globalAlpha: alpha })
      follow(points)
      pen.fill()
    },
    dots(points, { fill, alpha = 1, dot }) {
      Object.assign(pen, { fillStyle: fill, globalAlpha: alpha })
      points.forEach(([x, y], at) => {
        pen.beginPath()
        pen.arc(x, y, (Array.isArray(dot) ? dot[at] : dot) / 2, 0, 7)
        pen.fill()
      })
    },
    within({ left, right, top, bottom }, draw) {
      pen.save()
      pen.beginPath()
      pen.rect(left, top, right - left, bottom - top)
      pen.clip()
      draw()
      pen.restore()
    },
  }
}

function drawGrid(pen, { left, right, top, bottom }, x, y, { rule }) {
  for (const tick of x.ticks) pen.line([[x.at(tick), top], [x.at(tick), bottom]], { stroke: rule, alpha: 0.55 })
  for (const tick of y.ticks) pen.line([[left, y.at(tick)], [right, y.at(tick)]], { stroke: rule, alpha: 0.55 })
}

function drawAxes(pen, { left, right, top, bottom }, x, y, { rule, muted }) {
  pen.line([[left, top], [left, bottom], [right, bottom]], { stroke: rule })
  let end = -Infinity
  for (const tick of x.ticks) {
    pen.line([[x.at(tick), bottom], [x.at(tick), bottom + 6]], { stroke: rule })
    const half = pen.wide(x.text(tick)) / 2
    if (x.at(tick) - half < end) continue
    pen.write(x.text(tick), x.at(tick), bottom + 17, { colour: muted })
    end = x.at(tick) + half + 4
  }
  for (const tick of y.ticks) {
    pen.line([[left - 6, y.at(tick)], [left, y.at(tick)]], { stroke: rule })
    pen.write(y.text(tick), left - 11, y.at(tick), { align: "right", colour: muted })
  }
  pen.write(x.label, (left + right) / 2, pen.height - 9, { colour: muted })
  pen.write(y.label, 10, (top + bottom) / 2, { turned: true, colour: muted })
}

function drawShapes(pen, frame, x, y, shapes) {
  pen.within(frame, () => {
    for (const shape of shapes) {
      const points = shape.x.map((one, at) => [x.at(one), y.at(shape.y[at])])
      if (shape.dot !== undefined) pen.dots(points, shape)
      else if (shape.fill !== undefined) pen.area(points, shape)
      else pen.line(points, shape)
    }
  })
}

function drawLegend(pen, { of, follow }, legend, { left, right, top }, shapes, muted) {
  let x = left + 2
  const y = top - 10
  for (const entry of of(legend, "items") ?? []) {
    const first = follow((of(entry, "renderers") ?? [])[0])
    const shape = shapes.find((one) => one.renderer && follow(one.renderer) === first)
    if (!shape || x > right) continue
    if (shape.stroke) pen.line([[x, y], [x + 18, y]], shape)
    else pen.area([[x, y - 7], [x + 15, y - 7], [x + 15, y + 8], [x, y + 8]], shape)
    const text = of(entry, "label")?.value ?? ""
    pen.write(text, x + 23, y, { align: "left", colour: of(legend, "label_text_color") ?? muted })
    x += 35 + pen.wide(text)
  }
}

// Draw `item` with `data` into `place`; nothing, where it is not a figure that can be drawn so.
async function sketchFigure(item, data, place) {
  await Promise.all([unpack(item), unpack(data)])
  const figure = figureOf(item, data)
  const { of, kind, root } = figure
  const [xAxis, yAxis] = [of(root, "below")?.[0], of(root, "left")?.[0]]
  if (["x_scale", "y_scale"].some((name) => (kind(of(root, name)) ?? "LinearScale") !== "LinearScale")) return
  const shapes = shapesOf(figure)
  if (!shapes?.length || !xAxis || !yAxis || place.clientWidth < 120 || place.clientHeight < 100) return
  const [x0, x1] = ends(figure, "x_range", shapes.flatMap((shape) => shape.x))
  const [y0, y1] = ends(figure, "y_range", shapes.flatMap((shape) => shape.y))
  if (![x0, x1, y0, y1].every(Number.isFinite) || x0 === x1 || y0 === y1) return

  const pen = penOn(place, of(yAxis, "major_label_text_font") ?? "sans-serif")
  const colours = { muted: of(yAxis, "major_label_text_color") ?? "#777", rule: of(yAxis, "axis_line_color") ?? "#ccc" }
  const axis = (model, low, high) => {
    const [ticks, text] = ticksOf(figure, model, low, high)
    return { ticks, text, label: of(model, "axis_label") ?? "" }
  }
  const [x, y] = [axis(xAxis, x0, x1), axis(yAxis, y0, y1)]
  const legend = (of(root, "above") ?? []).find((one) => kind(one) === "Legend")
  const title = of(of(root, "title"), "text")
  const frame = {
    left: Math.max(ROOM.least, ROOM.left + Math.max(...y.ticks.map((tick) => pen.wide(y.text(tick))))),
    right: pen.width - ROOM.right,
    top: (title ? ROOM.top : ROOM.bare) + (legend ? ROOM.legend : 0),
    bottom: pen.height - ROOM.bottom - (x.label ? ROOM.label : 0),
  }
  x.at = (value) => frame.left + ((value - x0) / (x1 - x0)) * (frame.right - frame.left)
  y.at = (value) => frame.bottom - ((value - y0) / (y1 - y0)) * (frame.bottom - frame.top)

  const spans = spansOf(figure, [x0, x1], [y0, y1])
  drawGrid(pen, frame, x, y, colours)
  drawShapes(pen, frame, x, y, [...spans, ...shapes])
  drawAxes(pen, frame, x, y, colours)
  if (legend) drawLegend(pen, figure, legend, frame, shapes, colours.muted)
  if (title) pen.write(title, frame.left, 13, { align: "left", size: 12, weight: "bold", colour: colours.muted })
}

