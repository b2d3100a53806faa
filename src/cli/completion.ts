// `profusion completion bash|zsh|fish` prints what a shell sources; it asks the hidden verb `__complete` for each word.

import { Argument, type Command } from "commander";
import type { Candidate } from "./candidates.ts";
import { addExample } from "./example.ts";

/** Whoever presses Tab waits: longer than this for no server. */
const PATIENCE_MS = 2_000;

const SCRIPTS = {
  // Bash takes "=", ":" and "@" for ends of words, and replaces only what follows the last one; of "@" it replaces the character too.
  bash: `_profusion() {
  local value current="\${COMP_WORDS[COMP_CWORD]}"
  [[ $current == [=:] ]] && current=
  [[ \${COMP_LINE:0:COMP_POINT} == *"@$current" ]] && current="@$current"
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value == :files ]]; then
      compopt -o default
    else
      [[ $value == *[=@] ]] && compopt -o nospace
      COMPREPLY+=("$(printf %q "$value")")
    fi
  done < <(profusion __complete --line "\${COMP_LINE:0:COMP_POINT}" --current "$current" </dev/null 2>/dev/null)
}
complete -F _profusion profusion
`,
  zsh: `#compdef profusion
_profusion() {
  local value description
  local -a shown
  while IFS=$'\\t' read -r value description; do
    if [[ $value == :files ]]; then
      _files
    elif [[ $value == *[=@] ]]; then
      compadd -S '' -- "$value"
    elif [[ -n $description ]]; then
      shown=("$value  $description")
      compadd -l -d shown -- "$value"
    else
      compadd -- "$value"
    fi
  done < <(profusion __complete -- "\${(@Q)words[2,CURRENT]}" </dev/null 2>/dev/null)
}
compdef _profusion profusion
`,
  fish: `function __profusion_complete
    set -l words (commandline -opc)
    for candidate in (profusion __complete -- $words[2..-1] (commandline -ct) </dev/null 2>/dev/null)
        if test "$candidate" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $candidate
        end
    end
end
complete -c profusion -f -a '(__profusion_complete)'
`,
} as const;

interface CompleteOptions {
  line?: string;
  current?: string;
}

export function addCompletion(program: Command): void {
  const completion = program
    .command("completion")
    .description("print what a shell needs to complete verbs, options, and names that the server knows")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) => {
      process.stdout.write(SCRIPTS[shell]);
    });
  addExample(
    completion,
    "source <(profusion completion bash)   # in ~/.bashrc",
    "source <(profusion completion zsh)    # in ~/.zshrc, after compinit",
    "profusion completion fish | source    # in ~/.config/fish/config.fish",
  );
  program
    .command("__complete", { hidden: true })
    .argument("[words...]", "the words after the command's name, the last of them unfinished")
    .option("--line <line>", "instead of the words: the line as it was typed")
    .option("--current <word>", "what the shell takes for the unfinished word: it replaces only that")
    .action((words: string[], options: CompleteOptions) => complete(program, words, options));
}

/** Prints no errors: they would land in the line that is being typed. */
async function complete(program: Command, words: readonly string[], { line, current }: CompleteOptions): Promise<void> {
  // Loaded here: whoever asks for help needs none of it.
  const [{ candidatesFor }, { splitWords }, { setTimeout: delay }] = await Promise.all([
    import("./candidates.ts"),
    import("./split-words.ts"),
    import("node:timers/promises"),
  ]);
  const typed = line === undefined ? words : splitWords(line).slice(1);
  const asked = candidatesFor(program, typed).catch((): Candidate[] => []);
  const found = await Promise.race([asked, delay(PATIENCE_MS, [] as Candidate[])]);
  const skipped = current === undefined ? 0 : (typed.at(-1) ?? "").length - current.length;
  const lines = found.map(({ value, description }) => {
    const shown = value === ":files" ? value : value.slice(skipped);
    return description ? `${shown}\t${description}\n` : `${shown}\n`;
  });
  process.stdout.write(lines.join(""));
  process.exit(); // without waiting for a server that does not answer
}
