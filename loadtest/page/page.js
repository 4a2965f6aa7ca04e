// The page: tables and charts from the JSON file in it (loadtest/json.md).

const result = JSON.parse(document.getElementById("result").textContent);
const COLORS = Array.from({ length: 8 }, (_, i) => `var(--c${i})`);
const TIME_POINTS = 600; // longer runs are drawn by averages of several seconds

const byId = (id) => document.getElementById(id);
const isOpen = (work) => work.loop === "open";
const label = (work) => `${work.name} (${work.loop})`;
const both = (english, chinese) => [english, make("small", { lang: "zh" }, chinese)];

// --- tables ---

function table(caption, heads, rows) {
  const kind = (at) => at < 3 && heads.length > 6 && "word"; // name, call and loop are words
  const cells = heads.map((words, at) => make("th", { class: kind(at) }, ...words));
  const head = make("tr", {}, ...cells);
  const body = rows.map((row) => make("tr", {}, ...row));
  const parts = [make("thead", {}, head), make("tbody", {}, ...body)];
  const whole = make("table", {}, ...(caption ? [make("caption", {}, caption)] : []), ...parts);
  return make("div", { class: "scroll" }, whole);
}

const cell = (text, kind) => make("td", { class: kind }, text);
const count = (number) => number.toLocaleString("en-US");

const SUMMARY_COLUMNS = [
  ["Work", "工作"],
  ["Call", "调用"],
  ["Loop", "环"],
  ["Rate/s", "计划速率"],
  ["Done/s", "实际速率"],
  ["Done", "完成"],
  ["Failed", "失败"],
  ["p50", "中位"],
  ["p90", "p90"],
  ["p99", "p99"],
  ["p99.9", "p99.9"],
  ["Max", "最大"],
  ["Late p99", "迟发"],
  ["Verdict", "结论"],
]; // elements belong to one table: heads are made anew for each

function verdict(work) {
  if (!work.offered) {
    return make("td", { class: "bad" }, ...both("not offered", "未达到"));
  }
  const words = isOpen(work) ? both("offered", "达到") : both("as answered", "随应答");
  return make("td", {}, ...words);
}

// Answers a second inside the window: what a server that fell behind answers after its end does not
// show what it can do.
function achieved(work, seconds) {
  const inside = work.seconds.done.slice(0, Math.ceil(seconds));
  return inside.reduce((a, b) => a + b, 0) / (seconds || 1);
}

// What needs words, in a row of its own.
function noteRow(work) {
  const words = [
    work.offered ? "" : work.refusal,
    work.unfinished > 0 ? `${count(work.unfinished)} unanswered at the end 结束时未应答` : "",
    work.first_failure ? `first failure 首个失败: ${work.first_failure}` : "",
    work.item ? `${count(work.items)} ${work.item}` : "",
  ].filter((text) => text !== "");
  const columns = SUMMARY_COLUMNS.length;
  const text = `${work.name}: ${words.join(" · ")}`;
  return words.length > 0 ? [[make("td", { class: "words", colspan: columns }, text)]] : [];
}

function loopMark(work) {
  return make("span", { class: `loop ${work.loop}` }, work.loop.toUpperCase());
}

function summaryRow(work, seconds) {
  const known = work.summary !== null && work.latency.count > 0;
  const ms = (key) => cell(known ? duration(work.summary[key]) : "–");
  const late = work.summary !== null && isOpen(work) && work.lateness.count > 0;
  return [
    cell(work.name),
    cell(work.call, "word"),
    make("td", { class: "word" }, loopMark(work)),
    cell(isOpen(work) ? significant(work.rate) : "–"),
    cell(significant(achieved(work, seconds))),
    cell(count(work.done)),
    cell(count(work.failed), work.failed > 0 && "bad"),
    ms("p50_ms"),
    ms("p90_ms"),
    ms("p99_ms"),
    ms("p999_ms"),
    ms("max_ms"),
    cell(late ? duration(work.summary.lateness_p99_ms) : "–"),
    verdict(work),
  ];
}

function showSummary() {
  for (const step of result.steps) {
    const heads = SUMMARY_COLUMNS.map(([english, chinese]) => both(english, chinese));
    const rows = step.works.flatMap((work) => [summaryRow(work, step.seconds), ...noteRow(work)]);
    const factor = result.steps.length > 1 ? `rates × ${significant(step.rate_factor)}, ` : "";
    const caption = `${factor}${significant(step.seconds)} s measured`;
    byId("summary").append(table(caption, heads, rows));
  }
}

function showFacts() {
  document.title = `${result.scenario} · gridwarden-load`;
  byId("title").textContent = `gridwarden-load · ${result.scenario}`;
  byId("description").textContent = result.description;
  const began = new Date(result.began_ms);
  const facts = [
    ["Began", "开始", Number.isNaN(began.getTime()) ? "" : began.toISOString()],
    ["Machine", "机器", result.machine],
    ["Commit", "提交", result.commit],
    ["Seed", "种子", result.seed],
    ["gRPC", "接口", result.server],
    ["HTTP", "接口", result.http],
    ["Warm-up", "预热", `${result.warmup_seconds} s, not counted 不计入`],
  ];
  for (const [english, chinese, text] of facts.filter(([, , text]) => text !== "")) {
    byId("facts").append(make("dt", {}, `${english} ${chinese}`), make("dd", {}, text));
  }
}

function showVerify() {
  const verify = result.verify;
  if (verify === null) {
    return;
  }
  const heads = [
    both("Acknowledged", "已确认"),
    both("Found", "找到"),
    both("Lost", "丢失"),
    both("Doubled", "重复"),
    both("Sent again", "重发"),
    both("Reconnects", "重连"),
  ];
  const row = ["acknowledged", "found", "lost", "doubled", "retried", "reconnects"].map((key) =>
    cell(count(verify[key]), ["lost", "doubled"].includes(key) && verify[key] > 0 && "bad"),
  );
  byId("verify-table").append(table("", heads, [row]));
  byId("verify").hidden = false;
}

// --- histograms ---

// The largest value of the bucket that begins at `low`: buckets are exact to 255 and then as wide
// as 1/128 of their octave's begin. (Powers of two: shifts would end at 2^31.)
function bucketEnd(low) {
  if (low < 256) {
    return low;
  }
  return low + 2 ** (Math.floor(Math.log2(low)) - 7) - 1;
}

// [log10(1 / (1 - q)), milliseconds], for each bucket; the last point is the maximum.
function percentilePoints(histogram) {
  const points = [];
  let seen = 0;
  for (const [low, number] of histogram.buckets) {
    const before = seen;
    seen += number;
    const value = Math.min(bucketEnd(low), histogram.max_ns) / 1e6;
    if (before === 0) {
      points.push([0, histogram.min_ns / 1e6]);
    }
    const left = Math.max(histogram.count - seen, 1);
    points.push([Math.log10(histogram.count / left), value]);
  }
  if (points.length > 0) {
    points[points.length - 1] = [Math.log10(histogram.count), histogram.max_ns / 1e6];
  }
  return points;
}

function extremes(lines) {
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y)).filter((y) => y > 0);
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), 0);
  return values.length > 0 ? [low, high] : [0.1, 1];
}

function percentileChart(title, note, series) {
  const nines = Math.ceil(Math.max(...series.map((line) => line.points.at(-1)?.[0] ?? 0)) * 4) / 4;
  return chart({
    title,
    note,
    x: ninesAxis(nines),
    y: logAxis(...extremes(series)),
    xLabel: "share of calls at or below 不超过该延迟的请求占比",
    series,
  });
}

function showPercentiles(step) {
  const charts = byId("percentiles");
  charts.replaceChildren();
  const works = step.works.filter((work) => work.offered && work.latency.count > 0);
  const line = (work, key, name, color, dashed = false) => {
    return { name, color, dashed, points: percentilePoints(work[key]) };
  };
  const all = works.map((work, i) => line(work, "latency", label(work), COLORS[i % 8]));
  if (works.length > 1 && works.length <= 8) {
    charts.append(percentileChart("All work 全部", "", all));
  }
  works.forEach((work, i) => {
    const own = [{ ...all[i], name: isOpen(work) ? "from the intended send" : "from the send" }];
    if (isOpen(work) && work.service.count > 0) {
      own.push(line(work, "service", "from the real send", all[i].color, true));
    }
    charts.append(percentileChart(label(work), work.call, own));
  });
  refusals(charts, step);
}

function refusals(place, step) {
  for (const work of step.works.filter((each) => !each.offered)) {
    const words = make("span", { class: "bad" }, "not offered, not plotted 未达到速率，不绘制");
    place.append(make("p", { class: "note" }, `${label(work)}: `, words, ` ${work.refusal}`));
  }
}

// --- over time ---

const mean = (list) => (list.length > 0 ? list.reduce((a, b) => a + b, 0) / list.length : null);
const most = (list) => (list.length > 0 ? Math.max(...list) : null);

// Points of one column; `width` seconds become one point by `fold`, where `when` holds.
function timePoints(column, width, fold, when = () => true) {
  const points = [];
  for (let at = 0; at < column.length; at += width) {
    const values = column.slice(at, at + width).filter((_, i) => when(at + i));
    points.push([at + width / 2, fold(values)]);
  }
  return points;
}

function latencyOverTime(work, width, axis) {
  const { done, failed, ...columns } = work.seconds;
  const answered = (i) => done[i] > 0; // a second without answers has no latency
  const line = (name, color, key, fold) => {
    return { name, color, points: timePoints(columns[key], width, fold, answered) };
  };
  const series = [
    line("max", COLORS[6], "max_ms", most),
    line("p99", COLORS[1], "p99_ms", most),
    line("p50", COLORS[0], "p50_ms", mean),
  ];
  const title = `${label(work)}: latency 延迟`;
  return chart({ title, x: axis, y: logAxis(...extremes(series)), xLabel: "s", series });
}

function rateOverTime(work, width, axis) {
  const line = (name, color, key, dashed) => {
    return { name, color, dashed, points: timePoints(work.seconds[key], width, mean) };
  };
  const series = [line("done 完成", COLORS[2], "done")];
  if (isOpen(work)) {
    series.push(line("due 计划", COLORS[0], "intended", true));
  }
  series.push(line("failed 失败", "var(--bad)", "failed"));
  const y = linearAxis(0, extremes(series)[1]);
  const title = `${label(work)}: calls a second 每秒请求`;
  return chart({ title, x: axis, y, xLabel: "s", series });
}

function showTime(step) {
  const place = byId("time");
  place.replaceChildren();
  const charts = make("div", { class: "charts" });
  for (const work of step.works.filter((each) => each.offered && each.seconds.done.length > 0)) {
    const length = work.seconds.done.length;
    const width = Math.ceil(length / TIME_POINTS);
    const axis = linearAxis(0, length, (s) => `${significant(s)} s`);
    charts.append(latencyOverTime(work, width, axis), rateOverTime(work, width, axis));
    if (width > 1) {
      const english = `Each point is ${width} s: mean of p50 and rates, largest of p99 and max.`;
      const chinese = ` 每点为 ${width} 秒：p50 与速率取平均，p99 与最大值取最大。`;
      charts.append(make("p", { class: "note" }, english, chinese));
    }
  }
  place.append(charts);
  refusals(place, step);
}

// --- lateness and the sweep ---

function showLateness(step) {
  const charts = byId("lateness-charts");
  charts.replaceChildren();
  const late = step.works.filter((work) => isOpen(work) && work.lateness.count > 0);
  byId("lateness").hidden = late.length === 0;
  const series = late.map((work, i) => {
    return {
      name: work.offered ? label(work) : `${label(work)}, not offered 未达到`,
      color: COLORS[i % 8],
      dashed: !work.offered,
      points: percentilePoints(work.lateness),
    };
  });
  if (series.length > 0) {
    charts.append(percentileChart("Lateness 迟发", "dashed: the rate was refused for it", series));
  }
}

function sweepChart(works) {
  const offered = works
    .filter(({ work }) => work.offered && work.latency.count > 0)
    .map(({ work, seconds }) => ({ rate: achieved(work, seconds), summary: work.summary }))
    .sort((a, b) => a.rate - b.rate);
  const crosses = works
    .filter(({ work }) => !work.offered)
    .map(({ work }) => ({ x: work.rate, text: `${significant(work.rate)}/s refused 拒报` }));
  const series = [
    ["p99.9", 6, "p999_ms"],
    ["p99", 1, "p99_ms"],
    ["p90", 2, "p90_ms"],
    ["p50", 0, "p50_ms"],
  ].map(([name, color, key]) => {
    const points = offered.map(({ rate, summary }) => [rate, summary[key]]);
    return { name, color: COLORS[color], dots: true, points };
  });
  const rates = [...offered.map(({ rate }) => rate), ...crosses.map(({ x }) => x)];
  const [least, top] = [Math.min(...rates), Math.max(...rates)];
  const wide = least > 0 && top / least > 20; // decades apart: a linear axis would crowd the lower
  const [low, high] = extremes(series);
  return chart({
    title: label(works[0].work),
    note: works[0].work.call,
    x: wide ? logAxis(least, top, significant) : linearAxis(0, top || 1),
    y: logAxis(low, crosses.length > 0 ? high * 3 : high), // room for the crosses
    xLabel: "calls answered a second 每秒应答数",
    series,
    crosses,
  });
}

function showSweep() {
  if (result.steps.length < 2) {
    return;
  }
  result.steps[0].works.forEach((first, index) => {
    if (isOpen(first)) {
      const works = result.steps
        .filter((step) => step.works[index]?.name === first.name)
        .map((step) => ({ work: step.works[index], seconds: step.seconds }));
      byId("sweep-charts").append(sweepChart(works));
      byId("sweep").hidden = false;
    }
  });
}

// --- which step is shown ---

function showStep(index) {
  const step = result.steps[index];
  showPercentiles(step);
  showTime(step);
  showLateness(step);
}

function showSteps() {
  const { steps } = result;
  if (steps.length === 0) {
    return;
  }
  // The highest rate that was offered in full says most.
  const whole = steps.map((step) => step.works.every((work) => work.offered)).lastIndexOf(true);
  const shown = whole < 0 ? 0 : whole;
  const select = byId("step");
  steps.forEach((step, index) => {
    const refused = step.works.some((work) => !work.offered) ? " (not offered in full)" : "";
    const words = `× ${significant(step.rate_factor)}${refused}`;
    select.append(make("option", { value: index, selected: index === shown }, words));
  });
  byId("steps").hidden = steps.length < 2;
  select.addEventListener("change", () => showStep(Number(select.value)));
  showStep(shown);
}

showFacts();
showSummary();
showVerify();
showSweep();
showSteps();
