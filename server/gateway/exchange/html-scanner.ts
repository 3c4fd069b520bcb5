/**
 * Finds the place for a script in the first bytes of an HTML document: right after `<head …>`, or before the first
 * element when that is not `html` or `head`. It follows the tokenizer of the HTML standard (section 13.2.5) for tags,
 * attributes, comments and declarations, one code unit at a time, and holds no text: any split of the input is the same.
 * It builds no tree, and it stops at the first answer.
 */

/** What one unit decided: nothing yet, the script goes before the tag being read, or right after this unit. */
export type Verdict = 'on' | 'before-tag' | 'here';

type State =
  | 'text'
  | 'tag-open'
  | 'tag-name'
  | 'end-tag-open'
  | 'end-tag-name'
  | 'attribute-before'
  | 'attribute-name'
  | 'attribute-after'
  | 'value-before'
  | 'value-double'
  | 'value-single'
  | 'value-bare'
  | 'markup'
  | 'markup-dash'
  | 'declaration'
  | 'comment-start'
  | 'comment-start-dash'
  | 'comment'
  | 'comment-dash'
  | 'comment-end'
  | 'comment-end-bang';

const [tab, lineFeed, formFeed, carriageReturn, space] = [0x09, 0x0a, 0x0c, 0x0d, 0x20];
const [bang, quote, apostrophe, dash, slash, less, equals, greater, question] = Array.from('!"\'-/<=>?', (character) =>
  character.charCodeAt(0),
) as [number, number, number, number, number, number, number, number, number];

const isBlank = (unit: number): boolean =>
  unit === space || unit === lineFeed || unit === tab || unit === carriageReturn || unit === formFeed;
const isLetter = (unit: number): boolean => (unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a && unit < 0x80;
const endsName = (unit: number): boolean => isBlank(unit) || unit === slash || unit === greater;

export class HtmlScanner {
  #state: State = 'text';
  /** Lower-case letters of the start tag's name, at most five. */
  #name = '';
  #hasText = false;

  /** True while no element and no text was there, but for `html`, and nothing is open. */
  get isBare(): boolean {
    return this.#state === 'text' && !this.#hasText;
  }

  /** True while the units since the last `<` may turn out to be the tag that the script goes before. */
  get undecided(): boolean {
    return this.#state === 'tag-open' || this.#state === 'tag-name';
  }

  /** Takes the next unit. After another answer than `on` the scanner is done. */
  take(unit: number): Verdict {
    switch (this.#state) {
      case 'text':
        if (unit === less) return this.#to('tag-open');
        this.#hasText ||= !isBlank(unit);
        return 'on';
      case 'tag-open':
        return this.#tagOpen(unit);
      case 'tag-name':
        return this.#tagName(unit);
      case 'end-tag-open':
        this.#name = '';
        if (isLetter(unit)) return this.#to('end-tag-name');
        return this.#to(unit === greater ? 'text' : 'declaration');
      case 'end-tag-name':
        return endsName(unit) ? this.#again('attribute-before', unit) : 'on';
      case 'declaration':
        return this.#to(unit === greater ? 'text' : 'declaration');
      case 'markup':
        return unit === dash ? this.#to('markup-dash') : this.#again('declaration', unit);
      case 'markup-dash':
        return unit === dash ? this.#to('comment-start') : this.#again('declaration', unit);
      case 'comment-start':
      case 'comment-start-dash':
      case 'comment':
      case 'comment-dash':
      case 'comment-end':
      case 'comment-end-bang':
        return this.#to(afterComment(this.#state, unit));
      default:
        return this.#attribute(this.#state, unit);
    }
  }

  #to(state: State): Verdict {
    this.#state = state;
    return 'on';
  }

  #again(state: State, unit: number): Verdict {
    this.#state = state;
    return this.take(unit);
  }

  #tagOpen(unit: number): Verdict {
    if (isLetter(unit)) {
      this.#name = '';
      return this.#again('tag-name', unit);
    }
    if (unit === bang) return this.#to('markup');
    if (unit === slash) return this.#to('end-tag-open');
    if (unit === question) return this.#to('declaration');
    this.#hasText = true;
    return this.#again('text', unit);
  }

  #tagName(unit: number): Verdict {
    if (!endsName(unit)) {
      this.#name += String.fromCharCode(isLetter(unit) ? unit | 0x20 : unit);
      return 'html'.startsWith(this.#name) || 'head'.startsWith(this.#name) ? 'on' : 'before-tag';
    }
    if (this.#name !== 'html' && this.#name !== 'head') return 'before-tag';
    return this.#again('attribute-before', unit);
  }

  #attribute(state: State, unit: number): Verdict {
    const next = afterAttribute(state, unit);
    if (next !== 'text') return this.#to(next);
    this.#state = 'text';
    return this.#name === 'head' ? 'here' : 'on';
  }
}

/** `text` when the tag ended. */
function afterAttribute(state: State, unit: number): State {
  if (state === 'value-double') return unit === quote ? 'attribute-before' : state;
  if (state === 'value-single') return unit === apostrophe ? 'attribute-before' : state;
  if (unit === greater) return 'text';
  if (isBlank(unit))
    return state === 'attribute-name' ? 'attribute-after' : state === 'value-bare' ? 'attribute-before' : state;
  if (state === 'value-bare') return state;
  if (state === 'value-before')
    return unit === quote ? 'value-double' : unit === apostrophe ? 'value-single' : 'value-bare';
  if (unit === slash) return 'attribute-before';
  // An equals sign where a name should begin is the first character of the name.
  if (unit === equals && state !== 'attribute-before') return 'value-before';
  return 'attribute-name';
}

function afterComment(state: State, unit: number): State {
  if (unit === greater && state !== 'comment' && state !== 'comment-dash') return 'text';
  if (unit === dash) {
    if (state === 'comment-start') return 'comment-start-dash';
    return state === 'comment' || state === 'comment-end-bang' ? 'comment-dash' : 'comment-end';
  }
  return unit === bang && state === 'comment-end' ? 'comment-end-bang' : 'comment';
}
