import type { Command } from 'commander';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { print } from './output.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const commandsOf = (program: Command): readonly Command[] => program.commands.filter((command) => command.name() !== 'help');

const flagsOf = (command: Command): string[] =>
  command.options.flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined && flag !== null) as string[]);

const bashScript = (program: Command): string => `_drybpf() {
  local word="\${COMP_WORDS[COMP_CWORD]}" flags=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${[...commandsOf(program).map((command) => command.name()), ...flagsOf(program)].join(' ')}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${commandsOf(program)
  .map((command) => `    ${command.name()}) flags="${flagsOf(command).join(' ')}" ;;`)
  .join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _drybpf drybpf
`;

const zshScript = (program: Command): string => `#compdef drybpf
autoload -U +X bashcompinit && bashcompinit
${bashScript(program)}`;

const fishQuote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const fishScript = (program: Command): string => {
  const lines = commandsOf(program).flatMap((command) => [
    `complete -c drybpf -n __fish_use_subcommand -a ${command.name()} -d ${fishQuote(command.description())}`,
    ...command.options.map(({ short, long, description }) => {
      const words = [short === undefined ? '' : ` -s ${short.slice(1)}`, long == null ? '' : ` -l ${long.slice(2)}`].join('');
      return `complete -c drybpf -n '__fish_seen_subcommand_from ${command.name()}'${words} -d ${fishQuote(description)}`;
    }),
  ]);
  return `${lines.join('\n')}\n`;
};

const SCRIPTS: Readonly<Record<Shell, (program: Command) => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `drybpf completion SHELL`: a script that the shell sources. */
export async function completionCommand(shell: string, program: Command): Promise<ExitStatus> {
  const known = SHELLS.find((candidate) => candidate === shell);
  if (known === undefined) throw new UsageError(`no completion for '${shell}': ${SHELLS.join(', ')}`);
  print(SCRIPTS[known](program));
  return EXIT.good;
}
