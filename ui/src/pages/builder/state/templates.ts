/** What a new workflow can begin with. */

export interface Template {
  name: string;
  about: string;
  text: string;
}

export const BLANK = `workflow:
  name: my-workflow
  tasks: []
`;

export const TEMPLATES: readonly Template[] = [
  { name: "Blank", about: "An empty canvas", text: BLANK },
  {
    name: "Hello",
    about: "One command after another",
    text: `workflow:
  name: hello
  tasks:
    - name: greet
      plugin: cmd
      outputs: [GREETING]
      params:
        command: echo "GREETING=hello from $(hostname)"

    - name: show
      plugin: cmd
      inputs: [GREETING]
      params:
        command: echo "$GREETING"
`,
  },
  {
    name: "Split and join",
    about: "Two branches side by side, and a task that waits for both",
    text: `workflow:
  name: split-and-join
  env:
    MAX_WORKERS: 4
  tasks:
    - name: start
      plugin: start
      outputs: [TRUE]

    # The split: two tasks wait for what one sets.
    - name: extract
      plugin: cmd
      inputs: [TRUE]
      outputs: [RAW_DATA]
      params:
        command: echo "RAW_DATA=1,2,3"

    - name: transform
      plugin: cmd
      inputs: [RAW_DATA]
      outputs: [CLEAN_DATA]
      params:
        command: echo "CLEAN_DATA=$RAW_DATA,4"

    - name: backup
      plugin: cmd
      inputs: [RAW_DATA]
      outputs: [BACKUP_LOCATION]
      params:
        command: echo "BACKUP_LOCATION=/tmp/backup"

    # The join: it waits for both.
    - name: load
      plugin: cmd
      inputs: [CLEAN_DATA, BACKUP_LOCATION]
      params:
        command: echo "loading $CLEAN_DATA"

    - name: end
      plugin: end
      inputs: [TRUE]
`,
  },
  {
    name: "For each",
    about: "The same task for every item of a list",
    text: `workflow:
  name: for-each
  tasks:
    - name: list
      plugin: cmd
      outputs: [FILES]
      params:
        command: echo 'FILES=["a.csv", "b.csv", "c.csv"]'

    - name: convert
      plugin: cmd
      inputs: [FILES]
      outputs: [CONVERTED]
      for_each: FILES
      params:
        command: echo "CONVERTED=$ITEM.json"
      execution:
        workers: 2
        timeout: 1m

    - name: report
      plugin: cmd
      inputs: [CONVERTED]
      params:
        command: echo "$CONVERTED"
`,
  },
];
