// The form of a report as a view of the panel: bound to a Reporter, which does the sending.

import { h } from './dom';
import * as format from './format';
import type { I18n, WordKey } from './i18n';
import type { City } from './model';
import type { View } from './panel';
import {
  ADDRESS_BYTES_MAX,
  bytesOf,
  DESCRIPTION_BYTES_MAX,
  type Draft,
  type Phase,
  type Reporter,
} from './reporting';

export interface ReportFormContext {
  i18n: I18n;
  city: () => City;
  cancel: () => void;
}

export const REPORT_KEY = 'report';

export function reportView(context: ReportFormContext, reporter: Reporter): View<Reporter> {
  return {
    key: REPORT_KEY,
    title: () => context.i18n.t('report.title'),
    load: async () => reporter,
    body: () => [form(context, reporter)],
  };
}

function form(context: ReportFormContext, reporter: Reporter): HTMLElement {
  const { i18n } = context;
  const { draft, phase } = reporter;
  const fields = h(
    'fieldset',
    { disabled: !reporter.editable, class: 'plain' },
    h(
      'p',
      { class: 'field' },
      h('span', { class: 'label' }, i18n.t('report.place')),
      h('output', { id: 'report-place' }, format.coordinates(draft.lon, draft.lat)),
      h('span', { class: 'muted small' }, i18n.t('report.moveHint')),
    ),
    classField(context, draft),
    severityField(i18n, draft),
    textField(i18n, draft, 'address', 'report.address', ADDRESS_BYTES_MAX, 1),
    textField(i18n, draft, 'description', 'report.description', DESCRIPTION_BYTES_MAX, 4),
  );
  const send = h(
    'button',
    {
      type: 'submit',
      class: 'button primary wide',
      id: 'report-send',
      disabled: phase.kind === 'sending',
    },
    i18n.t(phase.kind === 'unknown' ? 'report.again' : 'report.send'),
  );
  const cancel = h('button', { type: 'button', class: 'button wide', onclick: context.cancel });
  cancel.textContent = i18n.t('report.cancel');
  const element = h('form', { id: 'report-form', class: 'form' }, fields);
  const words = said(i18n, phase);
  element.append(...(words ? [words] : []), send, cancel);
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    if (tooLong(draft)) return;
    void reporter.submit();
  });
  return element;
}

const tooLong = (draft: Draft): boolean =>
  bytesOf(draft.address) > ADDRESS_BYTES_MAX || bytesOf(draft.description) > DESCRIPTION_BYTES_MAX;

function said(i18n: I18n, phase: Phase): HTMLElement | null {
  const say = (text: string, problem: boolean) =>
    h('p', { class: problem ? 'problem' : 'muted', role: problem ? 'alert' : 'status' }, text);
  switch (phase.kind) {
    case 'sending': {
      const { attempt } = phase;
      const again = i18n.t('report.retrying', { attempt });
      return say(attempt > 1 ? again : i18n.t('report.sending'), false);
    }
    case 'unknown':
      return say(i18n.t('report.unknown'), true);
    case 'refused':
      return say(i18n.t('report.refused', { reason: phase.reason }), true);
    default:
      return null;
  }
}

function classField({ i18n, city }: ReportFormContext, draft: Draft): HTMLElement {
  const select = h('select', { id: 'report-class', name: 'class', required: true });
  for (const { code } of city().classes) {
    const name = format.className(i18n.lang, city().classes, code);
    select.append(h('option', { value: code, selected: code === draft.class }, `${code} ${name}`));
  }
  select.addEventListener('change', () => (draft.class = select.value));
  return h(
    'p',
    { class: 'field' },
    h('label', { class: 'label', for: 'report-class' }, i18n.t('report.class')),
    select,
  );
}

function severityField(i18n: I18n, draft: Draft): HTMLElement {
  const row = h('div', { class: 'segments' });
  for (let severity = 1; severity <= 4; severity++) {
    const input = h('input', {
      type: 'radio',
      name: 'severity',
      value: severity,
      checked: draft.severity === severity,
      onchange: () => (draft.severity = severity),
    });
    row.append(h('label', {}, input, h('span', {}, i18n.word('severity', String(severity)))));
  }
  const legend = h('legend', { class: 'label' }, i18n.t('report.severity'));
  return h('fieldset', { class: 'plain field' }, legend, row);
}

function textField(
  i18n: I18n,
  draft: Draft,
  name: 'address' | 'description',
  label: WordKey,
  bytesMax: number,
  rows: number,
): HTMLElement {
  const id = `report-${name}`;
  const input =
    rows === 1 ? h('input', { type: 'text', id, name }) : h('textarea', { id, name, rows });
  input.value = draft[name];
  const hint = h('span', { class: 'small muted', id: `${id}-hint` });
  const measure = () => {
    const count = bytesOf(draft[name]);
    const near = count > bytesMax / 2;
    hint.textContent = near ? i18n.t('report.characters', { count, max: bytesMax }) : '';
    hint.classList.toggle('problem', count > bytesMax);
    input.setAttribute('aria-invalid', String(count > bytesMax));
  };
  input.setAttribute('aria-describedby', hint.id);
  input.addEventListener('input', () => {
    draft[name] = input.value;
    measure();
  });
  measure();
  const words = h('label', { class: 'label', for: id }, i18n.t(label));
  return h('p', { class: 'field' }, words, input, hint);
}
