import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../../api/client";
import { rolesQuery } from "../../api/lists";
import type { Guard } from "../../api/version";
import { Button, IconButton } from "../../kit/button";
import { Guarded, Reading } from "../../kit/change";
import { CardHead, Tag, Tags } from "../../kit/facts";
import { Card } from "../../kit/page";
import { Failure, Loading } from "../../kit/states";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import styles from "./access.module.css";
import { askedOf, type Role, RoleForm, readRole } from "./role-form";

/** All roles, and what each may do. */
export function Roles() {
  const may = useMay();
  const [making, setMaking] = useState(false);
  const [changing, setChanging] = useState<Role>();
  const [deleting, setDeleting] = useState<Role>();
  const roles = useQuery(rolesQuery);
  const write = may("tokens:write", "*");
  if (roles.error) return <Failure error={roles.error} retry={() => void roles.refetch()} />;
  if (!roles.data) return <Loading what="roles" />;
  return (
    <div className={styles.stack}>
      {write && (
        <div className={styles.right}>
          <Button kind="primary" icon={Plus} onClick={() => setMaking(true)}>
            New role
          </Button>
        </div>
      )}
      <div className={styles.roles}>
        {roles.data.items.map((role) => (
          <Card key={role.name}>
            <CardHead
              title={
                <>
                  {role.name} {role.built_in && <Tag>built in</Tag>}
                </>
              }
            >
              {write && !role.built_in && (
                <span>
                  <IconButton
                    icon={Pencil}
                    label={`Change ${role.name}`}
                    onClick={() => setChanging(role)}
                  />
                  <IconButton
                    icon={Trash2}
                    label={`Delete ${role.name}`}
                    onClick={() => setDeleting(role)}
                  />
                </span>
              )}
            </CardHead>
            <div className={styles.role}>
              {role.description && <p>{role.description}</p>}
              <Tags of={role.permissions} />
            </div>
          </Card>
        ))}
      </div>
      {making && <RoleForm before={undefined} onClose={() => setMaking(false)} />}
      {changing && (
        <Reading
          title={`Change ${changing.name}`}
          read={() => readRole(changing.name)}
          onClose={() => setChanging(undefined)}
        >
          {(before) => <RoleForm before={before} onClose={() => setChanging(undefined)} />}
        </Reading>
      )}
      {deleting && <Delete role={deleting} onClose={() => setDeleting(undefined)} />}
    </div>
  );
}

function Delete({ role: { name }, onClose }: { role: Role; onClose: () => void }) {
  const client = useQueryClient();
  const toasts = useToasts();
  const write = async (header: Guard) => {
    await api.DELETE("/api/v1/roles/{name}", { params: { path: { name }, header } });
    toasts.done(`The role ${name} is deleted`);
    await client.invalidateQueries({ queryKey: ["roles"] });
  };
  return (
    <Guarded
      title={`Delete the role ${name}?`}
      action="Delete"
      danger
      read={() => readRole(name)}
      part={askedOf}
      write={write}
      onClose={onClose}
    >
      <p>Tokens that have it may no longer do what it allowed. Their other roles stay.</p>
    </Guarded>
  );
}
