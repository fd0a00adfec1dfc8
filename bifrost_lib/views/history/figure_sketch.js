// A Bokeh figure on one canvas for as long as Bokeh is not there: lines, areas, marks and axes, with nothing to click.
const ARRAYS = { float64: Float64Array, float32: Float32Array, int32: Int32Array, uint32: Uint32Array, int8: Int8Array, uint8: Uint8Array }
const DAY_MS = 86400000
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const ROOM = { left: 33, least: 47, right: 30, top: 25, legend: 20, bottom: 25, label: 16 }
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
  for (const one of Object.values(known)) if (data[one.attributes?.name]) Object.assign(one.attributes, data[one.attributes.name])
  return { of, follow, root: follow(item.doc.roots[0]), kind: (value) => follow(value)?.name }
}

function number(value) {
  return typeof value === "number" ? value : NaN
}

function arrayOf(value) {
  if (Array.isArray(value)) return value
  if (value?.type !== "ndarray" || !ARRAYS[value.dtype]) return []
  const bytes = Uint8Array.from(atob(value.array.data), (letter) => letter.charCodeAt(0))
  return [...new ARRAYS[value.dtype](bytes.buffer)]
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

// Everything that a figure draws, as shapes in its own units, the lowest first.
function shapesOf(figure) {
  const { of, kind, root } = figure
  const shapes = []
  for (const renderer of of(root, "renderers") ?? []) {
    if (kind(renderer) !== "GlyphRenderer") continue
    const glyph = of(renderer, "glyph")
    const { column, value } = columnsOf(figure, renderer, "data_source")
    const line = { stroke: value(glyph, "line_color", "#000"), width: value(glyph, "line_width", 1), alpha: value(glyph, "line_alpha", 1), dash: value(glyph, "line_dash", []) }
    const points = { x: column(glyph, "x")?.map(number), y: column(glyph, "y")?.map(number), renderer }
    if (kind(glyph) === "Line") shapes.push({ ...line, ...points })
    else if (kind(glyph) === "Patch") shapes.push({ ...points, fill: value(glyph, "fill_color"), alpha: value(glyph, "fill_alpha", 1) })
    else if (kind(glyph) === "Scatter") shapes.push({ ...points, dot: column(glyph, "size") ?? value(glyph, "size", 4), fill: value(glyph, "fill_color"), alpha: value(glyph, "fill_alpha", 1) })
    else if (kind(glyph) === "MultiLine") {
      const colours = column(glyph, "line_color")
      const ys = column(glyph, "ys").map(arrayOf)
      column(glyph, "xs").forEach((x, at) => shapes.push({ ...line, x: arrayOf(x).map(number), y: ys[at].map(number), stroke: colours?.[at] ?? line.stroke }))
    } else return null
  }
  for (const place of ["center", "left", "right", "above", "below"]) {
    for (const one of of(root, place) ?? []) if (kind(one) === "Whisker") shapes.push(whiskers(figure, one))
  }
  return shapes.filter((shape) => shape.x?.length)
}

function whiskers(figure, one) {
  const { column, value } = columnsOf(figure, one, "source")
  const [base, low, high] = ["base", "lower", "upper"].map((name) => column(one, name)?.map(number) ?? [])
  return {
    stroke: value(one, "line_color", "#000"), width: value(one, "line_width", 1), alpha: value(one, "line_alpha", 1), dash: [],
    x: base.flatMap((x) => [x, x, NaN]), y: low.flatMap((y, at) => [y, high[at], NaN]),
  }
}

// The ends of an axis: as the figure says, else all numbers with a little room.
function ends({ of, kind, root }, name, numbers) {
  const range = of(root, name)
  if (kind(range) === "Range1d") return [number(of(range, "start")), number(of(range, "end"))]
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
  for (let at = Math.ceil(low / step); at * step <= high; at++) ticks.push(at * step)
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
  const places = format ? (format.split(".")[1] ?? "").replace(/[^0#]/g, "").length : Math.max(0, -Math.floor(Math.log10(step)))
  const form = { minimumFractionDigits: places, maximumFractionDigits: places, useGrouping: !format || format.includes(",") }
  return [ticks, (value) => (value * share).toLocaleString("en-US", form) + (share > 1 ? "%" : "")]
}

// Draw `item` with `data` into `place`; return whether it is a figure that can be drawn so.
function sketchFigure(item, data, place) {
  const figure = figureOf(item, data)
  const { of, root } = figure
  const [xAxis, yAxis] = [of(root, "below")?.[0], of(root, "left")?.[0]]
  const shapes = shapesOf(figure)
  const { clientWidth: width, clientHeight: height } = place
  if (!shapes?.length || !xAxis || !yAxis || width < 120 || height < 100) return false
  const spans = ["center", "left", "right", "above", "below"].flatMap((name) => of(root, name) ?? []).filter((one) => figure.kind(one) === "Span")
  const [x0, x1] = ends(figure, "x_range", shapes.flatMap((shape) => shape.x))
  const [y0, y1] = ends(figure, "y_range", shapes.flatMap((shape) => shape.y))
  if (![x0, x1, y0, y1].every(Number.isFinite) || x0 === x1 || y0 === y1) return false

  const canvas = document.createElement("canvas")
  const scale = window.devicePixelRatio || 1
  canvas.width = width * scale
  canvas.height = height * scale
  canvas.style.cssText = `width:${width}px;height:${height}px`
  const pen = canvas.getContext("2d")
  pen.scale(scale, scale)
  const family = of(yAxis, "major_label_text_font") ?? "sans-serif"
  const muted = of(yAxis, "major_label_text_color") ?? "#777"
  const rule = of(yAxis, "axis_line_color") ?? "#ccc"
  const write = (text, x, y, { align = "center", size = 11, colour = muted, weight = "" } = {}) => {
    Object.assign(pen, { font: `${weight} ${size}px ${family}`, fillStyle: colour, textAlign: align, textBaseline: "middle" })
    pen.fillText(text, x, y)
  }

  const [yTicks, yText] = ticksOf(figure, yAxis, y0, y1)
  const [xTicks, xText] = ticksOf(figure, xAxis, x0, x1)
  const legend = (of(root, "above") ?? []).find((one) => figure.kind(one) === "Legend")
  const title = of(of(root, "title"), "text")
  pen.font = `11px ${family}`
  const widest = Math.max(...yTicks.map((tick) => pen.measureText(yText(tick)).width))
  const left = Math.max(ROOM.least, ROOM.left + widest)
  const top = (title ? ROOM.top : 8) + (legend ? ROOM.legend : 0)
  const right = width - ROOM.right
  const bottom = height - ROOM.bottom - (of(xAxis, "axis_label") ? ROOM.label : 0)
  const atX = (value) => left + ((value - x0) / (x1 - x0)) * (right - left)
  const atY = (value) => bottom - ((value - y0) / (y1 - y0)) * (bottom - top)

  function stroke(points, { colour, thick = 1, dash = [], alpha = 1 }) {
    Object.assign(pen, { strokeStyle: colour, lineWidth: thick, globalAlpha: alpha, lineJoin: "bevel" })
    pen.setLineDash(Array.isArray(dash) ? dash : dash === "dotted" ? [2, 4] : dash === "dashed" ? [6] : [])
    pen.beginPath()
    let down = false
    for (const [x, y] of points) {
      if (Number.isNaN(x) || Number.isNaN(y)) down = false
      else if (down) pen.lineTo(x, y)
      else { pen.moveTo(x, y); down = true }
    }
    pen.stroke()
    pen.globalAlpha = 1
  }
  for (const tick of xTicks) stroke([[atX(tick), top], [atX(tick), bottom]], { colour: rule, alpha: 0.55 })
  for (const tick of yTicks) stroke([[left, atY(tick)], [right, atY(tick)]], { colour: rule, alpha: 0.55 })

  pen.save()
  pen.beginPath()
  pen.rect(left, top, right - left, bottom - top)
  pen.clip()
  for (const shape of shapes) {
    const points = shape.x.map((x, at) => [atX(x), atY(shape.y[at])])
    Object.assign(pen, { fillStyle: shape.fill ?? "#000", globalAlpha: shape.alpha })
    if (shape.dot !== undefined) {
      points.forEach(([x, y], at) => {
        pen.beginPath()
        pen.arc(x, y, (Array.isArray(shape.dot) ? shape.dot[at] : shape.dot) / 2, 0, 7)
        pen.fill()
      })
    } else if (shape.fill !== undefined) {
      pen.beginPath()
      let down = false
      for (const [x, y] of points) {
        if (Number.isNaN(x) || Number.isNaN(y)) down = false
        else if (down) pen.lineTo(x, y)
        else { pen.moveTo(x, y); down = true }
      }
      pen.fill()
    } else stroke(points, { colour: shape.stroke, thick: shape.width, dash: shape.dash, alpha: shape.alpha })
    pen.globalAlpha = 1
  }
  for (const span of spans) {
    const at = number(of(span, "location"))
    const across = of(span, "dimension") === "height" ? [[atX(at), top], [atX(at), bottom]] : [[left, atY(at)], [right, atY(at)]]
    stroke(across, { colour: of(span, "line_color") ?? "#000", dash: of(span, "line_dash") ?? [], thick: of(span, "line_width") ?? 1 })
  }
  pen.restore()

  stroke([[left, top], [left, bottom], [right, bottom]], { colour: rule })
  let end = -Infinity
  for (const tick of xTicks) {
    const half = pen.measureText(xText(tick)).width / 2
    stroke([[atX(tick), bottom], [atX(tick), bottom + 6]], { colour: rule })
    if (atX(tick) - half > end) write(xText(tick), atX(tick), bottom + 17)
    end = Math.max(end, atX(tick) + half + 4)
  }
  for (const tick of yTicks) {
    stroke([[left - 6, atY(tick)], [left, atY(tick)]], { colour: rule })
    write(yText(tick), left - 11, atY(tick), { align: "right" })
  }
  if (of(xAxis, "axis_label")) write(of(xAxis, "axis_label"), (left + right) / 2, height - 9)
  pen.save()
  pen.translate(10, (top + bottom) / 2)
  pen.rotate(-Math.PI / 2)
  write(of(yAxis, "axis_label") ?? "", 0, 0)
  pen.restore()
  if (title) write(title, left, 13, { align: "left", size: 12, weight: "bold" })

  let x = left + 2
  for (const entry of (legend && of(legend, "items")) || []) {
    const label = of(entry, "label")
    const text = label?.value ?? ""
    const first = figure.follow((of(entry, "renderers") ?? [])[0])
    const shape = shapes.find((one) => one.renderer && figure.follow(one.renderer) === first)
    if (!shape || x > right) continue
    const y = top - 10
    if (shape.stroke) stroke([[x, y], [x + 18, y]], { colour: shape.stroke, thick: shape.width, alpha: shape.alpha })
    else {
      Object.assign(pen, { fillStyle: shape.fill, globalAlpha: shape.alpha })
      pen.fillRect(x, y - 7, 15, 15)
      pen.globalAlpha = 1
    }
    write(text, x + 23, y, { align: "left", colour: of(legend, "label_text_color") ?? muted })
    x += 23 + pen.measureText(text).width + 12
  }
  place.append(canvas)
  return true
}
