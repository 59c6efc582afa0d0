namespace OrderInventory.AppHost.Infrastructure;

/// <summary>The user that a server runs as when the AppHost is root.</summary>
internal sealed record UnprivilegedUser(string Name, string UserId, string GroupId)
{
    public string Id => $"{UserId}:{GroupId}";

    public static UnprivilegedUser Find()
    {
        var users = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(fields => fields.Length > 3).ToLookup(fields => fields[0]);
        var user = users["postgres"].Concat(users["nobody"]).FirstOrDefault()
            ?? throw new DistributedApplicationException("PostgreSQL refuses to run as root, and there is no user 'postgres' or 'nobody': create one, or start as an ordinary user.");
        return new UnprivilegedUser(user[0], user[2], user[3]);
    }

    /// <summary>Arguments of setpriv (util-linux), which replaces itself by the command, so that signals reach the command directly.</summary>
    public string[] RunAs(string command) => [$"--reuid={UserId}", $"--regid={GroupId}", "--clear-groups", command];

    public async Task<bool> CanEnterAsync(string folder)
        => (await Command.TryAsync("setpriv", RunAs("sh").Concat(["-c", "cd \"$1\"", "sh", folder]))).ExitCode == 0;
}
