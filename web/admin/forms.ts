/** The forms that make something: a link for a guest, a person, a service. Each does its work and tells what came of it. */
import { css, html, nothing, type TemplateResult } from 'lit';
import { change } from './client.ts';
import type { Doing } from './lists.ts';

export const formStyles = css`
  form.make {
    display: grid;
    gap: 0.9rem;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr));
    margin: 0.75rem 0 0;
  }
  fieldset {
    border: 0;
    display: flex;
    flex-wrap: wrap;
    gap: 0.4rem 1.25rem;
    grid-column: 1 / -1;
    margin: 0;
    padding: 0;
  }
  label.check {
    align-items: center;
    display: inline-flex;
    gap: 0.5rem;
    min-height: 2.25rem;
  }
  input[type='checkbox'] {
    accent-color: var(--accent);
    height: 1.25rem;
    margin: 0;
    width: 1.25rem;
  }
  label.field {
    display: block;
    font-weight: 600;
  }
  label.field > :is(input, select, textarea) {
    background: var(--card);
    border: 1px solid var(--line-strong);
    border-radius: 8px;
    color: inherit;
    display: block;
    font: inherit;
    font-weight: 400;
    margin-top: 0.3rem;
    min-height: 44px;
    padding: 0.4rem 0.75rem;
    width: 100%;
  }
  .send {
    grid-column: 1 / -1;
  }
`;

const hourS = 3_600;
const lives: readonly (readonly [string, number])[] = [
  ['1 hour', hourS],
  ['4 hours', 4 * hourS],
  ['1 day', 24 * hourS],
  ['1 week', 7 * 24 * hourS],
  ['30 days', 30 * 24 * hourS],
];

/** Runs a form's work with what was filled in, and empties it when that went well. */
function sending(doing: Doing, run: (data: FormData) => Promise<unknown>): (event: SubmitEvent) => void {
  return (event) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    doing.now(async () => {
      await run(new FormData(form));
      form.reset();
    });
  };
}

const text = (data: FormData, name: string): string => String(data.get(name) ?? '').trim();

/** Services that a form lets choose from. */
export interface Choice {
  readonly names: readonly string[];
  /** How many there are. */
  readonly total: number;
}
/** More boxes than anybody looks through. */
export const mostChoices = 200;

export function linkForm(doing: Doing, { names, total }: Choice): TemplateResult {
  const make = async (data: FormData) => {
    const [hours, recipient] = [text(data, 'hours'), text(data, 'recipient')];
    const { url } = await change(doing.device, 'post', '/api/admin/links', {
      body: {
        services: data.getAll('service').map(String),
        ttlS: Number(data.get('life')),
        uses: Number(data.get('uses')),
        kiosk: data.has('kiosk'),
        readOnly: data.has('readOnly'),
        approval: data.has('approval'),
        hours: hours === '' ? [] : hours.split(/[\s,]+/),
        zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        ...(recipient !== '' && { recipient }),
      },
    });
    doing.tell('The link, shown this once', url);
  };
  return html`<form class="make" @submit=${sending(doing, make)}>
    <fieldset>
      <legend>Opens</legend>
      ${names.map(
        (name, index) =>
          html`<label class="check"><input type="checkbox" name="service" value=${name} ?checked=${index === 0} />${name}</label>`,
      )}
      ${
        total > names.length
          ? html`<p class="soft">These are the first ${names.length} of ${total}. A link to another is made by <code>latchkey link create</code>.</p>`
          : nothing
      }
    </fieldset>
    <label class="field">Lasts
      <select name="life">${lives.map(([words, s]) => html`<option value=${s}>${words}</option>`)}</select>
    </label>
    <label class="field">Guests who may come by it
      <input name="uses" type="number" min="1" max="10000" value="1" required />
    </label>
    <label class="field">Hours of the day (optional)
      <input name="hours" placeholder="08:00-18:00" pattern="[0-9:,\\s\\-]*" />
    </label>
    <label class="field">For the e-mail address (optional)
      <input name="recipient" type="email" maxlength="254" autocomplete="off" />
    </label>
    <fieldset>
      <legend>Terms</legend>
      <label class="check"><input type="checkbox" name="kiosk" />Kiosk: no passkey, nothing kept</label>
      <label class="check"><input type="checkbox" name="readOnly" />Reading only</label>
      <label class="check"><input type="checkbox" name="approval" />Somebody opens the door</label>
    </fieldset>
    <div class="send"><button>Make the link</button></div>
  </form>`;
}

export function personForm(doing: Doing): TemplateResult {
  const make = async (data: FormData) => {
    const [name, group] = [text(data, 'name'), text(data, 'group')];
    const body = { name, ...(group !== '' && { group }) };
    const { url } = await change(doing.device, 'post', '/api/admin/enrolments', { body });
    doing.tell(`The enrolment link of ${name}, shown this once`, url);
  };
  return html`<form class="make" @submit=${sending(doing, make)}>
    <label class="field">Name <input name="name" required maxlength="64" autocomplete="off" /></label>
    <label class="field">Group (optional) <input name="group" maxlength="64" autocomplete="off" /></label>
    <div class="send"><button>Add and invite</button></div>
  </form>`;
}

export function serviceForm(doing: Doing): TemplateResult {
  const make = (data: FormData) => {
    const title = text(data, 'title');
    const body = { name: text(data, 'name'), url: text(data, 'url'), ...(title !== '' && { title }) };
    return change(doing.device, 'post', '/api/admin/services', { body });
  };
  return html`<form class="make" @submit=${sending(doing, make)}>
    <label class="field">Name, which becomes its host <input name="name" required maxlength="63" autocomplete="off" /></label>
    <label class="field">URL inside the data plane
      <input name="url" required placeholder="http://10.20.0.5:8080" autocomplete="off" />
    </label>
    <label class="field">Title (optional) <input name="title" maxlength="128" autocomplete="off" /></label>
    <div class="send"><button>Add the service</button></div>
  </form>`;
}
